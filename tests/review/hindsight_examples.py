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
    (
        ["orders are slow since 17:10", "the nightly batch started early today"],
        "we leave the batch running until six",
        [
            "fine with me",
            "batch is at 40 %",
            "! the batch writes to the same disks as the orders, iostat has them at 98 % since 17:08",
            "the batch of cookies in the kitchen is running out, be there before six",
            "orders are slow here, too",
        ],
    ),
    (
        ["some shops cannot print receipts", "I know of five"],
        "No status page entry, it is five shops at most",
        [
            "ok, no entry",
            "no status page then",
            "! support counted 214 shops by now, all of them in the south",
            "five shops near the station sell that adapter, I asked",
            "shall I call them?",
        ],
    ),
    (
        ["the partner's key is in a public repository", "it was pushed an hour ago"],
        "Rotate the api key of the partner right away",
        [
            "rotated",
            "new api key is in the vault",
            "! the partner caches our key for 24 hours, their side answers 401 until tomorrow",
            "partner yoga is at six, mats are here",
            "I rotate out at eight, Ben takes over",
        ],
    ),
    (
        ["one in ten packets is lost between the halls", "our switches are clean"],
        "we hand this over to the network team and step back",
        [
            "network team has it",
            "handed over",
            "! network found their side clean, packets are lost in the firewall that we upgraded ourselves",
            "handing over my flat tonight, anybody with a van?",
            "stepping out for ten minutes",
        ],
    ),
    (
        ["replication stopped at 02:50", "only two of us are awake"],
        "let's not page the database on-call, it is three in the morning",
        [
            "agreed",
            "replication is still stopped",
            "! Ana from the database team had the same stop in May, the fix is four lines in her notes",
            "it is three degrees outside, good morning",
            "coffee machine is on",
        ],
    ),
    (
        ["integration tests fail one time in three", "release has to go out today"],
        "we ship without the integration tests, they are flaky anyway",
        [
            "shipping",
            "release is out",
            "! the test that failed was right: tax is zero for every order from Norway",
            "my son has tests at school today, nervous like a release manager",
            "who writes the notes?",
        ],
    ),
    (
        ["alarm: temperature in hall 2", "camera shows nothing"],
        "We treat it as a false alarm",
        [
            "closing it as false alarm",
            "muted",
            "! the technician measured 41 degrees behind rack 9, the fan there had stopped before the alarm",
            "false alarm downstairs as well, it was toast",
            "see you at eight",
        ],
    ),
    (
        ["db has one query running for 3 hours", "it blocks the autovacuum"],
        "kill the long query",
        [
            "killed",
            "query is gone",
            "! finance says that query was their year-end close, it starts over and takes nine hours",
            "long queue at the canteen today",
            "autovacuum runs",
        ],
    ),
    (
        ["json parsing got slow with the last build", "library went from 2.4.0 to 2.4.2"],
        "pin the library to 2.4.1",
        [
            "pinned",
            "2.4.1 is in, building",
            "! 2.4.1 has the same bug, the changelog lists it under 2.4.3",
            "the library on the corner is open until nine, bring the books",
            "build is green",
        ],
    ),
    (
        ["table customers is empty in prod", "somebody ran the cleanup against the wrong host"],
        "restore customers from last night's backup",
        [
            "restoring",
            "restore is at 70 %",
            "! last night's backup ends at customer 88,000, the volume was full by then",
            "last night's match was terrible",
            "restored the old bike, selling it",
        ],
    ),
    (
        ["user 4471 says her export is empty", "works for me"],
        "close it as a mistake of hers",
        [
            "closed",
            "! the same empty export for three other accounts, all of them with a comma in the name",
            "an empty meeting room, hurry if you need one",
            "works for me",
        ],
    ),
    (
        ["old terminals speak tls 1.0 only", "there are 40 of them left"],
        "leave tls 1.0 on until monday",
        [
            "left on",
            "monday is a bank holiday, by the way",
            "! the scan for the payments audit is on sunday, it fails any host that offers tls 1.0",
            "40 likes for that, thanks",
        ],
    ),
    (
        ["load is 90 on the media hosts", "imports run in parallel since friday"],
        "throttle the imports to one at a time",
        [
            "imports are at one",
            "imports from italy: the new beans are here",
            "! imports were idle all day, the load is the thumbnailer, it tries each broken png for ever",
            "friday is cake day",
        ],
    ),
    (
        ["zone b drops connections", "a and c look clean"],
        "move everything to zone c",
        [
            "moving",
            "everything is in c",
            "! zone c hangs on the same power feed as b, the maintenance there begins at 14:00",
            "quiet zone on the second floor please",
        ],
    ),
    (
        ["checksum warning on vol7", "never seen that one"],
        "we ignore the warning on vol7 for tonight",
        [
            "ignored",
            "turn the volume of that music down, fair warning",
            "! vol7 returned other bytes than were written, 41 files so far",
            "good night",
        ],
    ),
    (
        ["mail flows again", "queues look short"],
        "tell support that mail is fixed",
        [
            "told them",
            "support says thanks",
            "! two of the five queues were never drained, 9,000 mails sit there since noon",
            "the queue at the bakery is insane",
        ],
    ),
    (
        ["price service is down", "there is a list of yesterday on the share"],
        "use yesterday's price list",
        [
            "list is loaded",
            "prices show again",
            "! yesterday's list has the netherlands at zero vat",
            "the list for the team dinner is on the door",
        ],
    ),
    (
        ["core switch in row D reports a fan", "spare is on site"],
        "reboot the switch in row D at 02:00",
        [
            "rebooting",
            "it is back",
            "! row D carries the only link of the payment hsm, cards were refused for six minutes",
            "row D has the best seats in that theatre",
        ],
    ),
    (
        ["config is corrupt after an upgrade", "vendor offers a patch"],
        "we go with the patch of the vendor",
        [
            "patch is in",
            "config loads",
            "! vendor pulled that patch this morning, it wipes the config on the second restart",
            "a patch of ice at the entrance, walk slowly",
        ],
    ),
    (
        ["writer of the ledger hangs", "Ola knows it best"],
        "no page to Ola, she had the last two nights",
        [
            "right",
            "we restart the ledger by hand",
            "! step 4 of the runbook, which Ola wrote, says to stop the writer first or the ledger skips an hour",
            "two nights in porto, photos later",
        ],
    ),
    (
        ["api answers 500 to one client in ten", "tracing is off in prod"],
        "Switch tracing on for all of prod",
        [
            "tracing is on",
            "traces come in",
            "cpu is up a little",
            "! tracing writes every request body to disk, 60 GB in an hour, and card numbers among them",
            "tracing my parcel since tuesday, it is in leipzig",
        ],
    ),
]
