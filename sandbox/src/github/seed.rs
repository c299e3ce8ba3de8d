//! The repositories of the demo. The AWS seed builds its history from the same commits.

use super::{FileChange, GitHub, NewCommit, Person, Repository};

pub(crate) const WALLET: &str = "acme/wallet-service";
pub(crate) const WEB: &str = "acme/web-app";

const HOUR: i64 = 3_600_000;

/// A commit of the seed: how many hours ago, by whom, what, and which files.
type Line = (
    i64,
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str, u32, u32)],
);

const WALLET_LINES: &[Line] = &[
    (
        24 * 21,
        "bruno",
        "chore: release v1.4.0",
        &[("package.json", "modified", 1, 1), ("CHANGELOG.md", "modified", 9, 0)],
    ),
    (
        24 * 9,
        "ann",
        "fix(balance): count locked UTXOs once when a block is voided",
        &[
            ("packages/wallet-service/src/api/balance.ts", "modified", 12, 7),
            ("packages/wallet-service/tests/balance.test.ts", "modified", 31, 0),
        ],
    ),
    (
        24 * 7,
        "dana",
        "chore: release v1.4.1",
        &[("package.json", "modified", 1, 1), ("CHANGELOG.md", "modified", 6, 0)],
    ),
    (
        24 * 4,
        "dana",
        "feat(tx-proposal): keep the number of send attempts\n\nNeeded to stop after five tries.",
        &[
            (
                "db/migrations/20261117101500-add-tx-proposal-attempts.sql",
                "added",
                6,
                0,
            ),
            ("packages/wallet-service/src/db/txProposal.ts", "modified", 18, 2),
        ],
    ),
    (
        24 * 3,
        "carla",
        "feat(tx-proposal): retry sending with a growing pause",
        &[
            ("packages/wallet-service/src/api/txProposalSend.ts", "modified", 44, 11),
            ("packages/wallet-service/src/utils/backoff.ts", "added", 23, 0),
            (
                "packages/wallet-service/tests/txProposalSend.test.ts",
                "modified",
                87,
                3,
            ),
        ],
    ),
    (
        24 * 2 + 6,
        "dana",
        "fix(push): skip devices that were removed while the queue was full",
        &[(
            "packages/wallet-service/src/api/pushSendNotification.ts",
            "modified",
            9,
            4,
        )],
    ),
    (
        30,
        "dana",
        "retry tx proposals that the full node refused as busy",
        &[
            ("packages/wallet-service/src/api/txProposalSend.ts", "modified", 15, 3),
            ("CHANGELOG.md", "modified", 8, 0),
            ("package.json", "modified", 1, 1),
        ],
    ),
];

const WEB_LINES: &[Line] = &[
    (
        24 * 12,
        "ann",
        "Start page: show balances in the reader's own currency",
        &[("src/pages/Home.tsx", "modified", 28, 9)],
    ),
    (
        24 * 3,
        "bruno",
        "Speed up the history list: draw only what is on the screen",
        &[
            ("src/components/History.tsx", "modified", 61, 40),
            ("package.json", "modified", 1, 0),
        ],
    ),
];

pub(super) fn github(now_ms: i64) -> GitHub {
    let mut github = GitHub::default();
    let mut wallet = Repository::new(WALLET, "master");
    let shas = fill(&mut wallet, WALLET_LINES, now_ms);
    for (tag, at) in [("v1.4.0", 0), ("v1.4.1", 2), ("v1.4.2", 6)] {
        wallet.tag(tag, &shas[at]);
    }
    let mut web = Repository::new(WEB, "main");
    fill(&mut web, WEB_LINES, now_ms);
    github.repositories.insert(WALLET.to_owned(), wallet);
    github.repositories.insert(WEB.to_owned(), web);
    github
}

fn fill(repository: &mut Repository, lines: &[Line], now_ms: i64) -> Vec<String> {
    let branch = repository.default_branch.clone();
    lines
        .iter()
        .map(|(hours, author, message, files)| {
            let files = files.iter().map(|(filename, status, additions, deletions)| FileChange {
                filename: (*filename).to_owned(),
                status: (*status).to_owned(),
                additions: *additions,
                deletions: *deletions,
                patch: Some(patch(*additions, *deletions)),
            });
            let new = NewCommit {
                author: Person::named(author),
                message: (*message).to_owned(),
                files: files.collect(),
                at_ms: now_ms - hours * HOUR,
            };
            repository.commit(&branch, new)
        })
        .collect()
}

/// A difference of the right size; nobody reads its lines.
fn patch(additions: u32, deletions: u32) -> String {
    let head = format!("@@ -10,{deletions} +10,{additions} @@\n");
    let removed = (1..=deletions).map(|line| format!("-line {line} as it was\n"));
    let added = (1..=additions).map(|line| format!("+line {line} as it is\n"));
    head + &removed.chain(added).collect::<String>()
}
