//! What runbooks do about data: tables, databases, buckets, search domains.

use super::Stage;

/// In the order of the runbook.
pub(super) const STAGES: [Stage; 7] = [
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
        kind: "bucket_delete",
        account: r#"
[[place.bucket]]
name = "works-old"
fill = 20
"#,
        steps: r#"
name   = "raze"
kind   = "bucket_delete"
bucket = "works-old"
"#,
    },
    Stage {
        kind: "search_parity",
        account: r#"
[[place.search]]
name    = "works-alpha"
indices = { case = 20, user = 3 }

[[place.search]]
name    = "works-beta"
indices = { case = 20, user = 3 }

[[place.search]]
name    = "works-none"
indices = { ".kibana" = 1 }
"#,
        steps: r#"
name    = "alike"
kind    = "search_parity"
from    = "{sandbox}/opensearch/works-alpha"
to      = "{sandbox}/opensearch/works-beta"
indices = ["case", "user"]
samples = 2
every   = "1s"
---
name    = "no-documents"
kind    = "search_parity"
to      = "{sandbox}/opensearch/works-none"
empty   = true
samples = 1
"#,
    },
];
