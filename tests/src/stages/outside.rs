//! What runbooks do outside of the account, and with people.

use super::Stage;

/// In the order of the runbook.
pub(super) const STAGES: [Stage; 9] = [
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
        kind: "dns",
        account: r#"
[[place.zone]]
name   = "names.example"
record = [{ name = "app.names.example", type = "CNAME", ttl = 60, values = ["there.example"] }]
"#,
        steps: r#"
name        = "named"
kind        = "dns"
record      = "app.names.example"
type        = "CNAME"
values      = ["there.example"]
ttl_at_most = 60
resolvers   = ["{resolver.0}", "{resolver.1}"]
"#,
    },
    Stage {
        kind: "api_call",
        account: "",
        steps: r#"
name       = "scale"
kind       = "api_call"
base       = "{sandbox}/services/heroku"
secret_env = "SERVICE_KEY"
heroku     = { app = "works", process = "web", quantity = 0 }
---
name       = "calls"
kind       = "api_call"
base       = "{sandbox}/services/twilio"
secret_env = "SERVICE_KEY"
twilio     = { account = "AC1", number = "PN1", voice_url = "https://new.works.example/call" }
---
name       = "mail"
kind       = "api_call"
base       = "{sandbox}/services/mailgun"
secret_env = "SERVICE_KEY"
mailgun    = { route = "r1", forward = "https://new.works.example/mail" }
---
name       = "uptime"
kind       = "api_call"
base       = "{sandbox}/services/pingdom"
secret_env = "SERVICE_KEY"
pingdom    = { check = 12, paused = true }
---
name       = "blind"
kind       = "api_call"
url        = "{sandbox}/services/pingdom/api/3.1/checks/13"
method     = "PUT"
body       = '{"paused": true}'
secret_env = "SERVICE_KEY"
auth       = "bearer"
"#,
    },
    Stage {
        kind: "job",
        account: "",
        steps: r#"
name       = "shipped"
kind       = "job"
secret_env = "SERVICE_KEY"
jenkins    = { url = "{sandbox}/services/jenkins", user = "signalbox", job = "works/deploy", parameters = { STAGE = "{environment}" } }
---
name       = "pipeline"
kind       = "job"
secret_env = "SERVICE_KEY"
circleci   = { url = "{sandbox}/services/circleci", project = "gh/acme/works", branch = "main" }
---
name       = "let-go"
kind       = "job"
secret_env = "SERVICE_KEY"
circleci   = { url = "{sandbox}/services/circleci", project = "gh/acme/held", pipeline = "510fc059-f39c-41c2-8b6a-0c6adffed237", approve_hold = "wait" }
---
name       = "played"
kind       = "job"
secret_env = "SERVICE_KEY"
awx        = { url = "{sandbox}/services/awx", template = "works", variables = { stage = "{environment}" } }
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
