"""The half of the corpus that judges the rules: 336 secrets of 28 kinds, and 2,000 ordinary lines that look like some.

It was written before the first rule and is never edited, whatever the rules make of it: what they miss is shown in
docs/benchmarks.md. Everything is made up from a seed when it is asked for, so that nothing here looks like a token.
"""

import base64
import json
import string
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from urllib.parse import quote

SEED = 20261121
OF_EACH_KIND = 12
ORDINARY = 2_000

LOWER, UPPER, DIGITS = string.ascii_lowercase, string.ascii_uppercase, string.digits
ALNUM = string.ascii_letters + DIGITS
HEX = "0123456789abcdef"
BASE64 = ALNUM + "+/"
URLSAFE = ALNUM + "-_"


@dataclass(frozen=True)
class Planted:
    """A line with a secret in it, as Slack would send it; `values` must all be gone from what is kept."""

    kind: str
    text: str
    values: tuple[str, ...]


Made = tuple[str, tuple[str, ...]]
"""What is pasted, and which parts of it are secret."""


def secrets() -> list[Planted]:
    """Twelve lines of each kind, each in other surroundings."""
    random = Random(SEED)
    return [_planted(kind, number, random) for kind in KINDS for number in range(OF_EACH_KIND)]


def ordinary() -> list[str]:
    """Lines as operations people write them; none holds a secret."""
    random = Random(SEED + 1)
    return [LINES[number % len(LINES)](random) for number in range(ORDINARY)]


def _planted(kind: str, number: int, random: Random) -> Planted:
    make, surroundings = KINDS[kind]
    pasted, values = make(random)
    return Planted(kind, surroundings[number % len(surroundings)].replace("@@", pasted), values)


def chars(random: Random, letters: str, count: int) -> str:
    return "".join(random.choice(letters) for _ in range(count))


def _alone(make: Callable[[Random], str]) -> Callable[[Random], Made]:
    def made(random: Random) -> Made:
        value = make(random)
        return value, (value,)

    return made


# Tokens that show what they are ------------------------------------------------------------


def _bot(random: Random) -> str:
    first, second = chars(random, DIGITS, random.choice((10, 12, 13))), chars(random, DIGITS, random.choice((12, 13)))
    return f"xox{'b'}-{first}-{second}-{chars(random, ALNUM, 24)}"


def _user(random: Random) -> str:
    numbers = "-".join(chars(random, DIGITS, 12) for _ in range(3))
    return f"xox{'p'}-{numbers}-{chars(random, HEX, 32)}"


def _app(random: Random) -> str:
    return f"xa{'pp'}-1-A{chars(random, UPPER + DIGITS, 10)}-{chars(random, DIGITS, 13)}-{chars(random, HEX, 64)}"


def _rotating(random: Random) -> str:
    if random.random() < 0.5:
        return f"xox{'e'}-1-{chars(random, ALNUM, 147)}"
    return f"xox{'e'}.xox{random.choice('bp')}-1-{chars(random, ALNUM, 163)}"


def _hook(random: Random) -> str:
    team, bot = chars(random, UPPER + DIGITS, random.choice((8, 10))), chars(random, UPPER + DIGITS, 10)
    return f"https://hooks.{'slack'}.com/services/T{team}/B{bot}/{chars(random, ALNUM, 24)}"


def _google(random: Random) -> str:
    return f"AI{'za'}Sy{chars(random, URLSAFE, 33)}"


def _github(random: Random) -> str:
    return f"gh{random.choice('posur')}_{chars(random, ALNUM, 36)}"


def _fine_grained(random: Random) -> str:
    return f"github{'_pat_'}{chars(random, ALNUM, 22)}_{chars(random, ALNUM, 59)}"


def _gitlab(random: Random) -> str:
    return f"gl{random.choice(('pat', 'ptt', 'rt', 'dt'))}-{chars(random, URLSAFE.rstrip('-_'), 20)}"


def _stripe(random: Random) -> str:
    return f"{random.choice('sr')}k_{'live'}_{chars(random, ALNUM, random.choice((24, 99)))}"


def _npm(random: Random) -> str:
    return f"np{'m'}_{chars(random, ALNUM, 36)}"


def _pypi(random: Random) -> str:
    return f"pyp{'i'}-AgEIcHlwaS5vcmc{chars(random, URLSAFE.rstrip('-_'), random.randrange(100, 170))}"


ALONE = (
    "@@",
    "can somebody try with @@ please",
    "here is the one the rollout uses: `@@`",
    "it still works for me ```curl -sS -H 'X-Token: @@' <https://api.example.com/v2/health>```",
    "TOKEN=@@",
    "export DEPLOY_TOKEN='@@' &amp;&amp; make rollout",
    '```{"service": "checkout", "token": "@@", "retries": 3}```',
    "token: @@\nregion: eu-central-1",
    "*@@*",
    "I put it into the pod's environment (@@), restart is under way.",
    "<https://ci.example.com/job/482?token=@@&amp;cause=rollback|run the rollback job>",
    "14:07 ananya rotated @@, so the old pods answer 401",
)


# Tokens that need their surroundings -----------------------------------------------------------


def _aws_pair(random: Random) -> Made:
    key = f"{random.choice(('AKIA', 'ASIA'))}{chars(random, UPPER + '234567', 16)}"
    secret = chars(random, BASE64, 40)
    between = random.choice(("\n{}_secret_access_key = ", " / {}_secret_access_key: ", "\n{}_SECRET_ACCESS_KEY="))
    return f"{key}{between.format('aws' if 'secret' in between else 'AWS')}{secret}", (key, secret)


AWS_PAIR = (
    "aws_access_key_id = @@",
    "[staging]\naws_access_key_id=@@\nregion=eu-west-1",
    "these are the deployer's: @@",
    "```AWS_ACCESS_KEY_ID=@@\nAWS_REGION=eu-central-1```",
    "key id @@ and it can only read the bucket",
    "export AWS_ACCESS_KEY_ID=@@",
)


def _aws_secret(random: Random) -> Made:
    secret = chars(random, BASE64, 40)
    return secret, (secret,)


AWS_SECRET = (
    "AWS_SECRET_ACCESS_KEY=@@",
    "export AWS_SECRET_ACCESS_KEY='@@'",
    '"SecretAccessKey": "@@",',
    "aws_secret_access_key = @@",
    'the terraform state has `secret_key = "@@"` in it',
    "aws configure set aws_secret_access_key @@ --profile staging",
    "docker run -e AWS_SECRET_ACCESS_KEY=@@ -e AWS_REGION=eu-west-1 checkout:317",
    "- name: AWS_SECRET_ACCESS_KEY\n  value: @@",
)


def _aws_session(random: Random) -> Made:
    token = f"IQoJb3JpZ2luX2Vj{chars(random, BASE64, random.randrange(300, 600))}=="
    return token, (token,)


AWS_SESSION = (
    "AWS_SESSION_TOKEN=@@",
    'export AWS_SESSION_TOKEN="@@"',
    "aws_session_token = @@",
    '```"SessionToken": "@@"```',
)


def _body(random: Random, lines: int) -> list[str]:
    return [chars(random, BASE64, 64) for _ in range(lines)] + [f"{chars(random, BASE64, 30)}=="]


def _dashes(word: str, name: str) -> str:
    return f"-----{word} {name}PRIVATE {'KEY'}-----"


def _service_account(random: Random) -> Made:
    body = _body(random, 5)
    key = "\\n".join([_dashes("BEGIN", ""), *body, _dashes("END", ""), ""])
    return f'"private_key_id": "{chars(random, HEX, 40)}", "private_key": "{key}"', tuple(body)


SERVICE_ACCOUNT = (
    '```{"type": "service_account", "project_id": "checkout-prod", @@, "client_id": "1055"}```',
    "the json of the service account, for the restore: {@@}",
    '{ "type": "service_account",\n  @@,\n  "client_email": "restore@checkout-prod.iam.gserviceaccount.com" }',
)

NAMES = ("RSA ", "", "EC ", "OPENSSH ", "ENCRYPTED ", "DSA ")


def _pem(random: Random) -> Made:
    name, body = random.choice(NAMES), _body(random, random.randrange(4, 14))
    return "\n".join([_dashes("BEGIN", name), *body, _dashes("END", name)]), tuple(body)


PEM = (
    "```@@```",
    "@@",
    "the bastion's key, delete it afterwards:\n@@\nthanks",
    "```cat &gt; /tmp/key &lt;&lt; EOF\n@@\nEOF\nssh -i /tmp/key deploy@bastion```",
)


def _pem_on_a_line(random: Random) -> Made:
    name, body = random.choice(NAMES), _body(random, random.randrange(3, 8))
    joint = random.choice(("\\n", "\\r\\n", " ", "\\\\n"))
    return joint.join([_dashes("BEGIN", name), *body, _dashes("END", name)]), tuple(body)


PEM_ON_A_LINE = (
    'TLS_KEY="@@"',
    "helm upgrade checkout . --set tls.key='@@'",
    '{"cert": "/etc/tls/tls.crt", "key": "@@"}',
    "`@@`",
)


def _pem_cut(random: Random) -> Made:
    body = _body(random, 6)[:-1]
    return "\n".join([_dashes("BEGIN", random.choice(NAMES)), *body]), tuple(body)


PEM_CUT = ("first part of the key, the rest follows\n@@", "```@@\n```", "@@\n…")


def _azure(random: Random) -> Made:
    key = f"{chars(random, BASE64, 86)}=="
    account = chars(random, LOWER, 9)
    if random.random() < 0.5:
        name = f"DefaultEndpointsProtocol=https;AccountName={account};AccountKey={key};EndpointSuffix=core.windows.net"
        return name, (key,)
    key = f"{chars(random, BASE64, 43)}="
    bus = f"Endpoint=sb://{account}.servicebus.windows.net/;SharedAccessKeyName=root;SharedAccessKey={key}"
    return bus, (key,)


AZURE = (
    "@@",
    "AZURE_CONNECTION='@@'",
    '```"ConnectionStrings": {"Queue": "@@"}```',
    "the orders queue is at `@@` if you want to look",
)


def _signed_link(random: Random) -> Made:
    signature = quote(f"{chars(random, BASE64, 43)}=", safe="")
    where = f"https://{chars(random, LOWER, 8)}.blob.core.windows.net/dumps/heap-{random.randrange(100)}.hprof"
    return f"{where}?sv=2024-11-04&amp;sp=r&amp;se=2026-11-20T00%3A00%3A00Z&amp;sr=b&amp;sig={signature}", (signature,)


SIGNED_LINK = ("the heap dump: <@@>", "curl -o dump '@@'", "<@@|heap dump of 14:10>", "wget @@")


def _opaque(random: Random) -> str:
    return chars(random, random.choice((ALNUM, HEX, URLSAFE.rstrip("-_"))), random.randrange(24, 80))


BEARER = (
    "curl -H 'Authorization: Bearer @@' <https://api.example.com/orders>",
    'curl -H "authorization: bearer @@" https://api.example.com/orders',
    "```GET /orders HTTP/1.1\nHost: api.example.com\nAuthorization: Bearer @@\nAccept: */*```",
    "Authorization: Bearer @@",
    "it sends `Bearer @@` and gets 403",
    '{"headers": {"Authorization": "Bearer @@", "Accept": "application/json"}}',
    "http :8080/orders Authorization:'Bearer @@'",
    "--header=Authorization:\\ Bearer\\ @@",
    "X-Api-Key: @@",
    "Authorization: token @@",
    "curl -H 'X-Auth-Token: @@' http://checkout.internal/admin",
    "Proxy-Authorization: Bearer @@",
)


def _jwt(random: Random) -> str:
    def part(what: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(what).encode()).decode().rstrip("=")

    claims = {"sub": chars(random, DIGITS, 8), "aud": "checkout", "exp": random.randrange(10**9, 2 * 10**9)}
    return f"{part({'alg': 'RS256', 'typ': 'JWT'})}.{part(claims)}.{chars(random, URLSAFE.rstrip('-_'), 86)}"


JWT = (
    "Authorization: Bearer @@",
    "my token is @@, does it work for you?",
    "```curl -H 'Authorization: Bearer @@' localhost:8080```",
    "Cookie: session=@@; Path=/",
    "<https://admin.example.com/login?jwt=@@>",
    "`@@`",
)


def _basic(random: Random) -> Made:
    words = f"{random.choice(('deploy', 'checkout', 'admin'))}:{chars(random, ALNUM, random.randrange(8, 20))}"
    value = base64.b64encode(words.encode()).decode()
    return value, (value,)


BASIC = (
    "Authorization: Basic @@",
    "curl -H 'Authorization: Basic @@' <https://registry.example.com/v2/_catalog>",
    '```{"authorization": "Basic @@"}```',
    '{"auths": {"registry.example.com": {"auth": "@@"}}}',
)


# Passwords ----------------------------------------------------------------------------------


def password(random: Random) -> str:
    kind = random.randrange(4)
    if kind == 0:
        return chars(random, ALNUM, random.randrange(8, 28))
    if kind == 1:
        words = random.choice(("Winter", "checkout", "Database", "letmein", "Kanal"))
        return f"{words}{random.choice('!.-_$')}{random.randrange(10, 9999)}{random.choice(('', '!', 'x'))}"
    if kind == 2:
        return chars(random, ALNUM, 5) + random.choice("!*~^+.") + chars(random, ALNUM, 6)
    return quote(chars(random, ALNUM + "@/#?:", 14) + "7@", safe="")


def _database(random: Random) -> Made:
    secret = password(random)
    scheme = random.choice(("postgres", "postgresql", "mysql", "mongodb+srv", "amqps", "postgresql+psycopg"))
    host = random.choice(("db-1.internal:5432", "10.12.0.7", "checkout.db.example.com", "localhost:5433"))
    return f"{scheme}://{random.choice(('checkout', 'app_rw', 'root'))}:{secret}@{host}/orders", (secret,)


DATABASE = (
    "@@",
    "psql @@ -c 'select count(*) from orders'",
    "DATABASE_URL=@@",
    "`@@` is what the pods use",
    "<@@>",
    '```env:\n  - name: DATABASE_URL\n    value: "@@"```',
    "it connects to @@, which is the old primary.",
    "dsn=@@?sslmode=require&amp;connect_timeout=3",
    "(@@)",
    "*@@*",
    "sqlalchemy.exc.OperationalError: could not connect to @@",
    "pool waits on @@\nand nothing else",
)


def _cache(random: Random) -> Made:
    secret = password(random)
    return f"redis{random.choice(('', 's'))}://{random.choice(('', 'default'))}:{secret}@cache-2.internal:6379/0", (
        secret,
    )


CACHE = ("redis-cli -u @@ info", "REDIS_URL=@@", "`@@`", "the cache moved to @@", "CELERY_BROKER_URL: '@@'")


def _mailed(random: Random) -> Made:
    """Slack takes `password@host` for an address and makes a link of it."""
    secret = f"{chars(random, ALNUM, 12)}"
    address = f"{secret}@db-{random.randrange(9)}.example.com"
    return f"postgres://checkout:<mailto:{address}|{address}>:5432/orders", (secret,)


MAILED = ("@@", "DATABASE_URL=@@", "psql @@", "it is @@ now", "the pods use @@ and nothing else")


def _page(random: Random) -> Made:
    secret = password(random)
    site = random.choice(("grafana.example.com/d/checkout", "git.example.com/ops/runbooks.git", "10.0.0.3:9200/_cat"))
    return f"{random.choice(('https', 'http'))}://{random.choice(('admin', 'ops-bot'))}:{secret}@{site}", (secret,)


PAGE = (
    "@@",
    "<@@>",
    "<@@|the dashboard>",
    "git clone @@",
    "curl -s @@?pretty&amp;v",
    "see `@@` for the graphs",
    "it is under @@.",
    'proxy: "@@"',
)


def _strong(random: Random) -> Made:
    secret = chars(random, ALNUM, 6) + random.choice("!#-_.%^*") + chars(random, ALNUM, 7) + random.choice(DIGITS)
    return secret, (secret,)


ASSIGNED = (
    "DB_PASSWORD=@@",
    "export PGPASSWORD='@@'",
    '```{"user": "checkout", "password": "@@"}```',
    "password: @@",
    "spring.datasource.password=@@",
    "MYSQL_ROOT_PASSWORD=@@ docker compose up -d",
    '- name: REDIS_PASSWORD\n  value: "@@"',
    "CLIENT_SECRET=@@",
    "Server=db-1;Database=orders;User Id=app;Password=@@;Encrypt=true",
    'passwd = "@@"',
    "helm upgrade checkout . --set db.password=@@ --wait",
    "mysql -h db-1 -u root --password=@@ orders",
)

CURL_USER = (
    "curl -u admin:@@ <http://10.0.0.3:9200/_cluster/health>",
    "curl --user 'ops:@@' https://registry.example.com/v2/",
    '```curl -sk -u "checkout:@@" https://vault.internal/v1/sys/health```',
    "curl -X POST --user deploy:@@ https://ci.example.com/job/rollback/build",
)

KINDS: dict[str, tuple[Callable[[Random], Made], tuple[str, ...]]] = {
    "Slack bot token": (_alone(_bot), ALONE),
    "Slack user token": (_alone(_user), ALONE),
    "Slack app token": (_alone(_app), ALONE),
    "Slack rotating token": (_alone(_rotating), ALONE),
    "Slack webhook": (_alone(_hook), ALONE),
    "AWS key pair": (_aws_pair, AWS_PAIR),
    "AWS secret key": (_aws_secret, AWS_SECRET),
    "AWS session token": (_aws_session, AWS_SESSION),
    "Google API key": (_alone(_google), ALONE),
    "Google service account": (_service_account, SERVICE_ACCOUNT),
    "Azure connection": (_azure, AZURE),
    "Azure signed link": (_signed_link, SIGNED_LINK),
    "GitHub token": (_alone(_github), ALONE),
    "GitHub fine-grained token": (_alone(_fine_grained), ALONE),
    "GitLab token": (_alone(_gitlab), ALONE),
    "bearer header": (_alone(_opaque), BEARER),
    "JWT": (_alone(_jwt), JWT),
    "basic header": (_basic, BASIC),
    "private key": (_pem, PEM),
    "private key on a line": (_pem_on_a_line, PEM_ON_A_LINE),
    "private key, cut": (_pem_cut, PEM_CUT),
    "password in a database's URL": (_database, DATABASE),
    "password in a cache's URL": (_cache, CACHE),
    "password in a URL that Slack took for mail": (_mailed, MAILED),
    "password in a web address": (_page, PAGE),
    "package or payment token": (_alone(lambda random: random.choice((_stripe, _npm, _pypi))(random)), ALONE),
    "password set": (_strong, ASSIGNED),
    "password for curl": (_strong, CURL_USER),
}


# Ordinary lines ----------------------------------------------------------------------------------


def _of(template: str) -> Callable[[Random], str]:
    """Placeholders: #h8 is eight hex digits, #d4 four digits, #a6 six letters and digits, #b64 sixty-four of base64."""
    letters = {"h": HEX, "d": DIGITS, "a": ALNUM, "b": BASE64, "l": LOWER, "u": UPPER + DIGITS}

    def line(random: Random) -> str:
        first, *rest = template.split("#@")
        parts = [first]
        for part in rest:
            count, _, after = part[1:].partition("@")
            parts += [chars(random, letters[part[0]], int(count)), after]
        return "".join(parts)

    return line


UUID = "#@h8@-#@h4@-4#@h3@-a#@h3@-#@h12@"

LINES = tuple(
    _of(template)
    for template in (
        "reverted in #@h40@, deploy follows",
        "`#@h7@` is the bad commit, `#@h7@` the one before",
        f"request id {UUID} took 31 s",
        "trace_id=#@h32@ span_id=#@h16@",
        "traceparent: 00-#@h32@-#@h16@-01",
        "image: registry.example.com/checkout@sha256:#@h64@",
        "docker pull registry.example.com:5000/checkout:v#@d3@@sha256:#@h64@",
        "oci://registry.example.com/charts/checkout:1.2.#@d2@@sha256:#@h64@",
        "SELECT id, password_hash FROM users WHERE email LIKE '%@example.com' LIMIT #@d2@;",
        'pq: password authentication failed for user "checkout" (SQLSTATE 28P01) #@d5@',
        'Traceback (most recent call last):\n  File "/srv/app/auth.py", line #@d3@, in password\n    raise Wrong',
        "checkout-api-#@h10@-#@l5@ is in CrashLoopBackOff",
        "kubectl -n checkout get secret checkout-db-#@l5@ -o yaml | wc -l",
        "<https://grafana.example.com/d/#@a9@/checkout?orgId=1&amp;from=1763474400000&amp;to=now|the graph>",
        "curl -H 'Authorization: Bearer &lt;token&gt;' <https://api.example.com/orders/#@d6@>",
        "curl -H 'Authorization: Bearer $TOKEN' https://api.example.com/orders/#@d6@",
        'curl -H "Authorization: Bearer ${{ secrets.DEPLOY }}" https://api.example.com/#@d6@',
        "md5 of the dump is #@h32@, sha1 is #@h40@",
        "sha256sum: #@h64@  heap.hprof",
        "2026-11-18T14:#@d2@:07.#@d6@Z ERROR pool exhausted after 30000 ms",
        "password reset flow is broken for #@d4@ customers",
        "DB_PASSWORD=${DB_PASSWORD} is not set in pod #@l5@",
        "export PGPASSWORD=$(vault kv get -field=password kv/checkout/#@l6@)",
        "scp deploy@bastion-#@d2@:/var/log/checkout.log .",
        "git clone git@git.example.com:ops/runbooks-#@l5@.git",
        "postgres://checkout@db-#@d2@.internal/orders",
        "postgres://checkout:${DB_PASSWORD}@db-#@d2@.internal/orders",
        "postgres://checkout:****@db-#@d2@.internal/orders?sslmode=require",
        "postgres://checkout:&lt;password&gt;@db-#@d2@.internal/orders",
        "mysql://user:password@host:3306/database is the form it wants, see page #@d3@",
        "redis://cache-#@d2@.internal:6379/0 is full",
        "amqps://mq-#@d2@.example.com:5671 refuses connections",
        "password: ******** in the log, so it was masked at #@d2@:#@d2@",
        "PASSWORD_MIN_LENGTH=12 and PASSWORD_MAX_AGE_DAYS=#@d2@",
        "the secret `checkout-tls-#@l5@` expired at 14:#@d2@",
        "secretName: checkout-tls-#@l5@",
        "passwordSecretRef:\n  name: checkout-db-#@l5@\n  key: password",
        "Vault token expired, all #@d2@ pods got 403",
        "token bucket refills at #@d3@ per second",
        "next_page_token=#@a24@ came twice",
        "the ETag is #@h32@ on both",
        "integrity: sha512-#@b86@==",
        "arn:aws:iam::#@d12@:role/checkout-deployer cannot assume",
        "s3://checkout-dumps-#@d12@/heap/#@d4@/#@d2@/dump.hprof",
        "vpc-#@h17@ peers with vpc-#@h17@",
        "-----BEGIN CERTIFICATE-----\n#@b64@\n#@b64@\n-----END CERTIFICATE-----",
        "-----BEGIN PUBLIC KEY-----\n#@b64@\n#@b64@\n-----END PUBLIC KEY-----",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI#@b43@ deploy@bastion",
        "SHA256:#@b43@ is the host key of bastion-#@d2@",
        "cursor=eyJvZmZzZXQiOjEwMH#@a6@ loops",
        "event_id #@a11@ arrived #@d2@ times",
        "<https://example.slack.com/archives/C0#@u8@/p17634744#@d8@|this message>",
        "hooks.slack.com answers 404 for channel C0#@u8@",
        "https://hooks.slack.com/" + "services/T00000000/B00000000/" + "X" * 24 + " is only the example, line #@d3@",
        "xoxb-… belongs into .env, line #@d2@",
        "tokens that begin with ghp_ or glpat- are blocked by rule #@d3@",
        "the AKIA key of deployer-#@d2@ was deactivated",
        "base64 of the image name: #@b40@",
        "data:image/png;base64,iVBORw0KGgo#@b120@==",
        "<@U0#@u8@> rotated the database password, ticket OPS-#@d4@",
        "the bearer of pager #@d2@ please acknowledge",
        "Bearer token expired at 14:#@d2@, so did the session",
        "Authorization header missing in #@d4@ of #@d4@ requests",
        'WWW-Authenticate: Bearer realm="registry", error="invalid_token", n=#@d4@',
        "Authorization: Basic <credentials>, says chapter #@d2@",
        "Basic authentication is off since build #@d5@",
        "api_key: null in config map #@l8@",
        "API_KEY_HEADER=X-Api-Key on port #@d4@",
        "primary key (#@d6@) already exists",
        "cache key checkout:cart:#@d8@:v2 was evicted",
        "key=orders-#@h8@ partition=#@d2@ offset=#@d9@",
        "client_id=checkout-web-#@d4@ asked #@d3@ times",
        "<mailto:oncall-#@d2@@example.com|oncall-#@d2@@example.com> did not answer",
        f"X-Request-Id: {UUID}",
        "Set-Cookie: locale=de; Path=/; Max-Age=#@d6@",
        "0x#@h12@ in malloc_consolidate () from /lib/libc.so.6",
        "at com.example.auth.PasswordEncoder.matches(PasswordEncoder.java:#@d3@)",
        "https://#@h32@@o#@d5@.ingest.sentry.example.com/#@d7@ drops events",
        "terraform plan: aws_secretsmanager_secret.checkout-#@l5@ will be updated in place",
        "password is rotated every #@d2@ days",
        "helm upgrade checkout . --set db.existingSecret=checkout-db-#@l5@",
        "curl -u $USER:$PASS https://registry.example.com/v2/#@l6@",
        "curl -sSf https://api.example.com/health?n=#@d4@ took 9 s",
        "ssh -L 5433:db-#@d2@:5432 deploy@bastion",
        "SENTRY_RELEASE=#@h40@",
        "sess_#@d4@: idle in transaction for #@d3@ s",
        'error: secret "checkout-db-#@l5@" not found',
        "AWS_SECRET_ACCESS_KEY is not set on runner-#@d2@",
        "aws_secret_access_key = <redacted>, attempt #@d2@",
        "the JWT's exp was #@d10@, clock skew of 4 min",
        "we log `password=[FILTERED]` since v#@d3@",
        "AccountName=checkout#@d2@;EndpointSuffix=core.windows.net answers 503",
        "sig=&lt;signature&gt; is missing from link #@d2@",
        "npm_config_cache=/tmp/npm-#@h8@ is full",
        "gh run view #@d10@ --log-failed",
        "monkey patch, keynote, turnkey, tokenise: #@d3@ words with key or token in them",
        "build 317.#@d3@ (#@h7@) is green, rollout at #@d2@ %",
        "I think the db is back. who has the #@d2@ o'clock numbers?",
        "pool size 20 → 80 on #@d2@ pods, half of them fit",
    )
)
