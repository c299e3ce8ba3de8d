//! What each kind of step is proven with: steps of it, and what they need in the sandbox's account. A kind that is added to
//! [`commands::step::SPECS`] is added here, or a test says so: as a stage, or in [`NOT_YET`] with the reason why it is none.

/// Kinds that are in no stage, and why.
pub const NOT_YET: [(&str, &str); 8] = [
    (
        "api_call",
        "the address of the sandbox is in it: tests/all/outside.rs loses its answers",
    ),
    (
        "bucket_delete",
        "its name has to be typed: tests/all/runbooks_aws.rs loses its answers",
    ),
    (
        "dns",
        "the addresses of the sandbox's resolvers are in it, and it only reads",
    ),
    (
        "job",
        "the address of the sandbox is in it: tests/all/outside.rs loses its answers",
    ),
    (
        "log_level",
        "it is lent by a command of its own: tests/all/levels.rs loses its answers",
    ),
    (
        "maintenance",
        "it is turned on by a command of its own: tests/all/maintenance.rs restarts the bot under it",
    ),
    (
        "log_match",
        "what it waits for has to be written while it waits, and it only reads",
    ),
    (
        "search_parity",
        "the address of the sandbox is in it, and it only reads",
    ),
];

/// Steps of a kind, and what they need.
pub struct Stage {
    /// The kind.
    pub kind: &'static str,
    /// What of it is in the account: tables of a `[[place]]` in a file of the sandbox.
    pub account: &'static str,
    /// Its steps, as they stand below `[[….step]]`, apart by a line `---`. `HEALTH` is a server that always answers.
    pub steps: &'static str,
}

/// Every kind that can be done in the sandbox, in the order of the runbook.
pub const STAGES: [Stage; 23] = [
    Stage {
        kind: "flag",
        account: r#"
[[place.table]]
name = "works-deploy"
item = [{ pk = { S = "color" }, sk = { S = "color" }, current = { S = "blue" } }]

[[place.parameter]]
name  = "/works/level"
value = "low"
"#,
        steps: r#"
name      = "color"
kind      = "flag"
table     = "works-deploy"
key       = { pk = "color", sk = "color" }
attribute = "current"
choices   = ["blue", "green"]
---
name      = "flip"
kind      = "flag"
table     = "works-deploy"
key       = { pk = "color", sk = "color" }
attribute = "current"
value     = "{step.color.other}"
expected  = "{step.color.value}"
---
name      = "level"
kind      = "flag"
parameter = "/works/level"
value     = "high"
"#,
    },
    Stage {
        kind: "event_source",
        account: r#"
[[place.queue]]
name = "works-mapped"

[[place.function]]
name = "works-stream"

[[place.event_source]]
function = "works-stream"
source   = "queue:works-mapped"
"#,
        steps: r#"
name     = "stream"
kind     = "event_source"
function = "works-stream"
enabled  = false
"#,
    },
    Stage {
        kind: "codebuild",
        account: r#"
[[place.project]]
name = "works-build"
plan = { seconds = 2 }
"#,
        steps: r#"
name      = "build"
kind      = "codebuild"
project   = "works-build"
variables = { COLOR = "{step.color.other}" }
"#,
    },
    Stage {
        kind: "schema",
        account: r#"
[[place.project]]
name = "works-migrate"
plan = { seconds = 2 }
"#,
        steps: r#"
name     = "pending"
kind     = "schema"
look     = true
database = "works"
version  = "v1.4.2"
live     = "v1.4.1"
---
name     = "migrate"
kind     = "schema"
database = "works"
version  = "v1.4.2"
first    = "schema"
live     = "{step.pending.live}"
project  = "works-migrate"
"#,
    },
    Stage {
        kind: "queue_drain",
        account: r#"
[[place.queue]]
name = "works-dead"

[[place.queue]]
name         = "works-queue"
dead_letters = "works-dead"
"#,
        steps: r#"
name     = "drained"
kind     = "queue_drain"
queues   = ["works-queue"]
failures = ["works-dead"]
samples  = 2
every    = "1s"
"#,
    },
    Stage {
        kind: "http",
        account: "",
        steps: r#"
name  = "health"
kind  = "http"
url   = "HEALTH/status"
times = 2
every = "1s"
"#,
    },
    Stage {
        kind: "require",
        account: "",
        steps: r#"
name      = "differ"
kind      = "require"
value     = "{step.color.value}"
is_not    = "{step.color.other}"
otherwise = "There is only one color."
"#,
    },
    Stage {
        kind: "table",
        account: r#"
[[place.table]]
name = "works-empty"
"#,
        steps: r#"
name  = "empty"
kind  = "table"
table = "works-empty"
state = "empty"
"#,
    },
    Stage {
        kind: "redrive",
        account: r#"
[[place.queue]]
name     = "works-letters"
messages = 20

[[place.queue]]
name         = "works-again"
dead_letters = "works-letters"
"#,
        steps: r#"
name       = "letters"
kind       = "redrive"
queue      = "works-letters"
per_second = 10
"#,
    },
    Stage {
        kind: "schedule",
        account: r#"
[[place.rule]]
name     = "works-cron"
schedule = "rate(1 minute)"
"#,
        steps: r#"
name    = "cron"
kind    = "schedule"
rule    = "works-cron"
enabled = false
"#,
    },
    Stage {
        kind: "snapshot",
        account: r#"
[[place.database]]
id               = "works"
snapshot_seconds = 4
"#,
        steps: r#"
name     = "snapshot"
kind     = "snapshot"
instance = "works"
"#,
    },
    Stage {
        kind: "restore",
        account: "",
        steps: r#"
name            = "restored"
kind            = "restore"
snapshot        = "{step.snapshot.id}"
to              = "works-restored"
security_groups = ["sg-1"]
"#,
    },
    Stage {
        kind: "route53",
        account: r#"
[[place.zone]]
name   = "works.example"
id     = "Z0WORKS"
record = [{ name = "app.works.example", type = "CNAME", values = ["blue.works.example"] }]
"#,
        steps: r#"
name   = "moved"
kind   = "route53"
zone   = "works.example"
record = "app.works.example"
type   = "CNAME"
values = ["green.works.example"]
ttl    = 60
"#,
    },
    Stage {
        kind: "mapping",
        account: r#"
[[place.api]]
id     = "blueworks1"
name   = "blue"
stages = ["prod"]

[[place.api]]
id     = "greenwork1"
name   = "green"
stages = ["prod"]

[[place.base_path]]
domain = "api.works.example"
api    = "blueworks1"
stage  = "prod"
"#,
        steps: r#"
name     = "api"
kind     = "mapping"
domain   = "api.works.example"
api_name = "green"
stage    = "prod"
"#,
    },
    Stage {
        kind: "alarms",
        account: r#"
alarm = ["works-errors"]
"#,
        steps: r#"
name    = "quiet"
kind    = "alarms"
alarms  = ["works-*"]
samples = 2
every   = "10s"
"#,
    },
    Stage {
        kind: "posture",
        account: r#"
[[place.bucket]]
name = "works-backups"
"#,
        steps: r#"
name  = "safe"
kind  = "posture"
wants = [{ bucket_encrypted = "works-backups" }, { user_absent = "nobody" }]
"#,
    },
    Stage {
        kind: "bucket_parity",
        account: r#"
[[place.bucket]]
name = "works-left"
fill = 20

[[place.bucket]]
name = "works-right"
fill = 20
"#,
        steps: r#"
name  = "same"
kind  = "bucket_parity"
left  = { bucket = "works-left" }
right = { bucket = "works-right" }
"#,
    },
    Stage {
        kind: "command",
        account: r#"
[[place.instance]]
id   = "i-works"
tags = { Role = "works" }
next = [{ output = "restarted" }]
"#,
        steps: r#"
name = "restart"
kind = "command"
run  = ["true"]
tags = { Role = "works" }
"#,
    },
    Stage {
        kind: "lambda",
        account: r#"
[[place.function]]
name = "works-tell"
"#,
        steps: r#"
name     = "tell"
kind     = "lambda"
function = "works-tell"
payload  = '{"color": "green"}'
"#,
    },
    Stage {
        kind: "wait",
        account: "",
        steps: r#"
name = "pause"
kind = "wait"
for  = "1s"
"#,
    },
    Stage {
        kind: "manual",
        account: "",
        steps: r#"
name         = "look"
kind         = "manual"
instructions = "Look at it."
"#,
    },
    Stage {
        kind: "approval",
        account: "",
        steps: r#"
name     = "agree"
kind     = "approval"
question = "Is it right?"
"#,
    },
    Stage {
        kind: "announce",
        account: "",
        steps: r#"
name = "say"
kind = "announce"
text = "Everything was done."
"#,
    },
];
