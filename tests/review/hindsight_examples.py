"""Decisions of small incidents, written to build the rules of later knowledge with; those that judge them are data.

Each is: what was said before, the decision, what was said after; a line that begins with `! ` is later knowledge.
"""

EXAMPLES = [
    (
        ["checkout p95 is at 4 s", "v318 went out at 13:50"],
        "Let's roll back checkout to v317",
        [
            "rolling back checkout now",
            "ok",
            "rollback of checkout finished",
            "! found it: v318 opens 40 connections per pod, and the database allows 500 in all",
            "what is for lunch today",
        ],
    ),
    (
        ["db-3 does not answer any more", "ssh to db-3 hangs as well"],
        "I'm going to restart db-3, it looks stuck",
        [
            "restarting db-3",
            "db-3 is back up",
            "is db-3 healthy again?",
            "! the hosting provider says db-3 had a failed disk since the morning, so a restart could not help",
            "search is fine, by the way",
        ],
    ),
    (
        ["eu-west-1 is losing packets", "status page of the provider is green"],
        "We fail over to eu-west-2",
        [
            "failing over to eu-west-2",
            "DNS points to eu-west-2 now",
            "! the replica in eu-west-2 was 40 minutes behind, there is no graph of that lag",
            "thanks everybody",
            "somebody at the door for the pizza",
        ],
    ),
    (
        ["one address makes 3000 requests a minute: 203.0.113.7"],
        "block 203.0.113.7, that is the scraper",
        [
            "203.0.113.7 is blocked at the edge",
            "+1",
            "! 203.0.113.7 is the office proxy of our largest customer, their account manager just called",
            "tickets about the login keep coming",
            "can you unblock port 22 for me?",
        ],
    ),
    (
        ["the export job wrote to a public bucket", "it looks like staging data only"],
        "We do not tell customers yet, it is only staging data",
        [
            "agreed, we wait",
            "should we tell legal?",
            "bucket is private now",
            "! audit log is in: the export also held 1,200 rows of production customers",
            "staging deploys are paused",
        ],
    ),
    (
        ["queue depth is 40k and growing", "workers are at 100 % cpu"],
        "Decision: add 4 workers and keep the queue running",
        [
            "4 workers added",
            "queue depth is 41k",
            "! each worker takes the same lock on the orders table, the profile shows it, more of them only wait",
            "I am getting a coffee",
            "great work so far",
        ],
    ),
    (
        ["login fails for some people", "the new certificate was installed last night"],
        "Going with a hotfix instead of reverting",
        [
            "hotfix is merged",
            "hotfix is out on all pods",
            "will write the summary later",
            "! turns out reverting was not possible at all: migration 0042 had already dropped the column",
            "who is on call tomorrow",
        ],
    ),
    (
        ["memory of the api pods climbs to 2 GB and then they die", "heap dump is running"],
        "let's double the memory limit of the api pods to 4 GB",
        [
            "limit is 4 GB now, pods are rolling",
            "pods look stable",
            "maybe it is the image library",
            "! the heap dump is full of session objects: nothing ever removes them since the redis switch on Monday",
            "api docs are outdated, unrelated",
        ],
    ),
    (
        ["payments to provider A time out", "provider A says all is well"],
        "I switch payments to provider B",
        [
            "switched, provider B takes everything",
            "payments look good",
            "let's write to provider A",
            "! provider A wrote back: they had a routing fault between 09:40 and 10:10, it was gone when we switched",
            "invoices went out",
        ],
    ),
    (
        ["kafka consumer lag is 2 million", "broker 4 was replaced on Friday"],
        "we skip the backlog and start from the latest offset",
        [
            "skipped",
            "consumer is at the latest offset",
            "lag is 0",
            "! among what we skipped were 300 refunds, finance counted them by hand",
            "friday deploys are frozen",
        ],
    ),
    (
        ["disk on log-2 is 99 % full"],
        "I will delete the old logs on log-2",
        [
            "deleted, 60 % now",
            "nice",
            "please do the same on log-3",
            "! the retention job had been switched off in March, that is how log-2 filled up",
            "cpu of web-7 is high again",
        ],
    ),
    (
        ["search returns nothing for german words", "index was rebuilt at 06:00"],
        "Rebuild the search index from the backup",
        [
            "rebuild is running, 20 minutes",
            "rebuild done",
            "search works again for me",
            "! the backup was made with the same broken analyzer, it has no german stems either",
            "backup of the wiki failed, not ours",
        ],
    ),
    (
        ["we see 502 from the gateway", "nginx was upgraded yesterday"],
        "ok, downgrade nginx on the gateways",
        [
            "downgrading gateways 1 to 4",
            "502s are falling",
            "all gateways are on the old nginx",
            "we should pin that version",
            "lunch?",
        ],
    ),
    (
        ["feature flag new-cart is at 50 %", "carts are empty for some users"],
        "turn the flag new-cart off",
        [
            "new-cart is off",
            "confirmed, off everywhere",
            "carts are still empty",
            "! the empty carts come from the cookie change of last week, new-cart only reads what is there",
            "can somebody look at the emails?",
        ],
    ),
    (
        ["primary db is read only", "disk has space"],
        "Promote replica r2 to primary",
        [
            "promoting r2",
            "r2 is primary",
            "writes work",
            "! r2 was missing 90 seconds of orders, the numbers of accounting do not add up",
            "r5 is next on the upgrade list",
        ],
    ),
]
