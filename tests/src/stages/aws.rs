//! What runbooks do in an account: flags, streams, builds, queues, rules, functions, traffic, logs.

use super::Stage;

/// In the order of the runbook.
pub(super) const STAGES: [Stage; 15] = [
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
        kind: "maintenance",
        account: r#"
[[place.parameter]]
name  = "/works/maintenance"
value = "false"
"#,
        steps: r#"
name = "closed"
kind = "maintenance"
on   = true
---
name = "is-closed"
kind = "maintenance"
---
name = "open"
kind = "maintenance"
on   = false
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
plan = { seconds = 2, lines = ["all is built"] }
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
        kind: "log_match",
        account: r#"
[[place.log_group]]
name = "/works/app"
"#,
        steps: r#"
name      = "line"
kind      = "log_match"
log_group = "/aws/codebuild/works-build"
pattern   = '"all is built"'
every     = "1s"
---
name      = "no-errors"
kind      = "log_match"
log_group = "/works/app"
pattern   = "ERROR"
want      = "absent"
for       = "4s"
every     = "2s"
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
        kind: "log_level",
        account: r#"
[[place.function]]
name      = "works-loud"
variables = { LOG_LEVEL = "info", OTHER = "stays" }

[[place.function]]
name      = "works-louder"
variables = { LOG_LEVEL = "warn" }
"#,
        steps: r#"
name      = "loud"
kind      = "log_level"
functions = ["works-loud", "works-louder"]
level     = "debug"
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
];
