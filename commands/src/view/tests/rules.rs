//! What holds for every message, whatever its state.

use crate::check::{GOOD_FOR, Level};
use crate::reason::Reason;
use crate::run::{Ballot, Event, Run, StageState};
use crate::time::{Span, Timestamp};
use crate::view::fixtures::{
    World, answered, approved, behind, change, clock, decided, evidence, failure, pinned, run_of, stages, user,
    verdict, vote,
};
use crate::view::picture::picture;
use crate::view::{self, Block, Button, Inline, Line, Message, Sign, card, next_redraw, spoken};

/// Slack's limits on what a message is made of.
const LABEL: usize = 75;
const SECTION: usize = 3000;

/// Text from outside that is longer than anything it may fill.
fn long() -> String {
    "ü🚂x".repeat(2000)
}

type History = Vec<(Event, Timestamp)>;

/// Votes are collected, and everything that can be long is.
fn collecting() -> History {
    let long = long();
    let mut big = change(60);
    for commit in &mut big.commits {
        commit.title.clone_from(&long);
        commit.author.clone_from(&long);
    }
    big.unknown = Some(long.clone());
    let mut events = evidence();
    events.push((Event::ChangeGathered { change: big }, clock("17:45:00")));
    events.push((
        verdict("alarms-quiet", Level::Bad, &long, &[&long, &long, &long, &long]),
        clock("17:54:00"),
    ));
    events.push((
        verdict("migrations-touched", Level::Unknown, &long, &[&long]),
        clock("17:54:00"),
    ));
    events.push(behind(&[("7d3f2a1b", &long), ("8d3f2a1b", &long)]));
    events.push(vote("U0ANN", Ballot::Approve, "17:41:00", &long));
    events
}

fn broken_glass(mut events: History) -> History {
    let by = vec![user("U0CARLA")];
    let overridden = Some(vec![]);
    events.push((
        Event::Decided {
            ballot: Ballot::Approve,
            by,
            reason: long(),
            overridden,
        },
        clock("17:55:00"),
    ));
    events
}

/// Answered in the console, and a stage has failed.
fn failing(mut events: History) -> History {
    let long = long();
    let mut failed = failure();
    failed.message.clone_from(&long);
    failed.action.clone_from(&long);
    failed.stage.clone_from(&long);
    let states = [
        (long.as_str(), StageState::Failed),
        ("b", StageState::Unknown),
        ("c", StageState::Stopped),
    ];
    events.push(answered(
        Ballot::Approve,
        "17:56:02",
        Some(&long),
        &[Reason::Frozen, Reason::Order],
    ));
    events.push(stages(&states, "17:57:00"));
    events.push((Event::FailureSeen { failure: failed }, clock("17:57:00")));
    events
}

/// Runs in all states, with the longest texts that the outside world may send.
fn every_run() -> Vec<Run> {
    let mut opened = pinned();
    opened.revision.summary = long();
    opened.revision.git_ref = Some(format!("refs/tags/{}", long()));
    opened.starter.detail = long();
    opened.starter.user = None;
    let mut runs = vec![run_of(pinned(), vec![]), run_of(pinned(), approved())];
    for reason in Reason::ALL {
        let mut events = failing(broken_glass(collecting()));
        events.push((Event::Ended { reason: *reason }, clock("18:00:00")));
        runs.push(run_of(opened.clone(), events));
    }
    let histories = [collecting(), broken_glass(collecting()), failing(collecting())];
    runs.extend(histories.map(|events| run_of(opened.clone(), events)));
    runs
}

fn lines(message: &Message) -> Vec<&Line> {
    fn of(block: &Block) -> &[Line] {
        match block {
            Block::Section(lines) | Block::Context(lines) => lines,
            _ => &[],
        }
    }
    message.blocks.iter().flat_map(of).collect()
}

fn buttons(message: &Message) -> Vec<&Button> {
    let rows = message.blocks.iter().filter_map(|block| match block {
        Block::Actions(buttons) => Some(buttons),
        _ => None,
    });
    rows.flatten().collect()
}

#[test]
fn the_first_line_is_the_notification() {
    let world = World::new();
    for run in every_run() {
        let card = card(&run, &world.facts());
        let first = lines(&card)[0];
        assert!(!card.fallback.is_empty());
        assert_eq!(card.fallback, spoken(first));
        assert!(
            card.fallback.starts_with("wallet → mainnet: 4f2c1d9"),
            "{}",
            card.fallback
        );
        assert!(
            !card.fallback.contains('\n') && card.fallback.chars().count() < 300,
            "{}",
            card.fallback
        );
    }
}

#[test]
fn a_card_stays_small_whatever_the_world_sends() {
    let world = World::new();
    for run in every_run() {
        let card = card(&run, &world.facts());
        assert!(card.blocks.len() <= 12, "{} blocks", card.blocks.len());
        for block in &card.blocks {
            if let Block::Section(lines) | Block::Context(lines) = block {
                let length: usize = lines.iter().map(|line| view::plain(line).chars().count() + 1).sum();
                assert!(length < SECTION, "{length} characters in one section");
            }
        }
    }
}

#[test]
fn buttons_keep_to_the_limits_and_make_sense_alone() {
    let world = World::new();
    for run in every_run() {
        for button in buttons(&card(&run, &world.facts())) {
            assert!((1..=LABEL).contains(&button.label.chars().count()));
            assert!((1..=LABEL).contains(&button.spoken.chars().count()));
            assert!(
                button.spoken.contains("4f2c1d9") && button.spoken.contains("mainnet"),
                "{}",
                button.spoken
            );
            assert_eq!(button.value, format!("wallet {}", run.id));
            if let Some(confirm) = &button.confirm {
                assert!(confirm.title.chars().count() <= 100 && confirm.text.chars().count() <= 300);
                assert!(confirm.yes.chars().count() <= 30 && confirm.no.chars().count() <= 30);
                assert!(
                    confirm.title.contains("mainnet") && confirm.text.contains("4f2c1d9"),
                    "{confirm:?}"
                );
            }
        }
    }
}

#[test]
fn every_picture_can_be_drawn() {
    // The printer refuses what a renderer would have to mend: empty pieces, and strong words with spaces at their ends.
    let world = World::new();
    for run in every_run() {
        assert!(picture(&card(&run, &world.facts())).contains("4f2c1d9"));
    }
}

#[test]
fn production_is_confirmed_and_elsewhere_is_not() {
    let world = World::new();
    let approve = |run: &Run| {
        let card = card(run, &world.facts());
        buttons(&card)
            .into_iter()
            .find(|button| button.action == "approve")
            .cloned()
            .expect("a button")
    };
    assert!(approve(&run_of(pinned(), evidence())).confirm.is_some());
    let mut opened = pinned();
    opened.environments[0].tier = crate::catalog::Tier::Standard;
    assert!(approve(&run_of(opened, evidence())).confirm.is_none());
}

#[test]
fn a_token_never_reaches_a_message() {
    let world = World::new();
    let mut opened = pinned();
    opened.round.token_hash = "f00df00df00d".to_owned();
    let run = run_of(opened, evidence());
    let json = serde_json::to_string(&card(&run, &world.facts())).expect("JSON");
    assert!(!json.contains("f00df00df00d"));
}

#[test]
fn what_is_not_known_is_never_shown_as_good() {
    let mut world = World::new();
    let names = ["alarms-quiet", "migrations-touched"];
    let line_of = |world: &World, events: Vec<(Event, Timestamp)>, name: &str| {
        let card = card(&run_of(pinned(), events), &world.facts());
        let bold = |line: &&Line| line.contains(&Inline::Bold(name.to_owned()));
        lines(&card)
            .into_iter()
            .find(bold)
            .cloned()
            .expect("a line for the check")
    };
    let signs = |line: &Line| line.contains(&Inline::Sign(Sign::Good));
    let given = |level| {
        names
            .map(|name| (verdict(name, level, "says so", &[]), clock("17:54:00")))
            .to_vec()
    };
    for name in names {
        for level in [Level::Good, Level::Notice, Level::Unknown, Level::Bad] {
            world.now = clock("17:54:00");
            assert_eq!(
                signs(&line_of(&world, given(level), name)),
                level == Level::Good,
                "{level:?}, fresh"
            );
            world.now = clock("17:54:00") + GOOD_FOR + Span(1);
            assert!(!signs(&line_of(&world, given(level), name)), "{level:?}, too old");
        }
        assert!(!signs(&line_of(&world, Vec::new(), name)), "not looked at");
    }
}

#[test]
fn an_ended_card_folds_to_three_lines() {
    let world = World::new();
    let mut folded = 0;
    for run in every_run() {
        if let Some((reason, _)) = run.ended() {
            let card = card(&run, &world.facts());
            assert!(lines(&card).len() <= 3, "{reason}: {} lines", lines(&card).len());
            assert_eq!(buttons(&card).len(), usize::from(reason == Reason::Failed), "{reason}");
            folded += 1;
        }
    }
    assert_eq!(folded, Reason::ALL.len());
}

#[test]
fn nothing_is_confirmed_before_codepipeline_confirms() {
    let world = World::new();
    let mut events = approved();
    let confirmed = events.pop().expect("the answer");
    let says = |events: Vec<(Event, Timestamp)>| {
        let card = card(&run_of(pinned(), events), &world.facts());
        let all: Vec<String> = lines(&card).into_iter().map(|line| view::plain(line)).collect();
        all.join("\n")
    };
    let before = says(events.clone());
    assert!(
        before.contains("Recorded 17:55:58 UTC, telling CodePipeline…") && !before.contains("confirmed"),
        "{before}"
    );
    events.push(confirmed);
    let after = says(events);
    assert!(
        after.contains("CodePipeline confirmed 17:56:02 UTC") && !after.contains("telling"),
        "{after}"
    );
}

#[test]
fn every_decided_card_has_lost_its_vote_buttons() {
    let world = World::new();
    for run in every_run()
        .into_iter()
        .filter(|run| run.status != crate::run::Status::Waiting)
    {
        for button in buttons(&card(&run, &world.facts())) {
            assert!(
                matches!(button.action.as_str(), "stop" | "retry" | "answer_again"),
                "{}",
                button.action
            );
        }
    }
}

#[test]
fn a_card_reads_the_same_until_its_next_redraw() {
    let mut world = World::new();
    let runs = [run_of(pinned(), evidence()), run_of(pinned(), approved())];
    for run in runs {
        world.now = clock("17:56:30");
        let mut changes = 0;
        for _ in 0..400 {
            let before = card(&run, &world.facts());
            let Some(next) = next_redraw(&run, &world.facts()) else {
                break;
            };
            assert!(world.now < next);
            world.now = Timestamp(next.0 - 1);
            assert_eq!(
                ages_apart(&card(&run, &world.facts())),
                ages_apart(&before),
                "changed before {next:?}"
            );
            world.now = next;
            changes += 1;
        }
        assert!(changes > 0 && changes < 400, "{changes} redraws");
    }
}

/// A card without the line on what is live, whose age in days or hours may lag by an hour.
fn ages_apart(card: &Message) -> Vec<Line> {
    let of_live = |line: &&Line| !view::plain(line).starts_with("Live on");
    lines(card).into_iter().filter(of_live).cloned().collect()
}

#[test]
fn decisions_name_the_shell_command_that_does_the_same() {
    let mut world = World::new();
    let says = |world: &World, run: &Run, words: &str| {
        let card = card(run, &world.facts());
        lines(&card)
            .into_iter()
            .any(|line| line.contains(&Inline::Code(words.to_owned())))
    };
    let run = run_of(pinned(), evidence());
    assert!(says(
        &world,
        &run,
        "signalbox say \"/deploy approve mainnet 4f2c1d9\" --as <your Slack id>"
    ));
    let mut second = world.service.clone();
    second.id = crate::ids::ServiceId::parse("explorer").expect("a name");
    world.services.insert(second.id.clone(), second);
    assert!(says(
        &world,
        &run,
        "signalbox say \"/deploy approve wallet mainnet 4f2c1d9\" --as <your Slack id>"
    ));
    let mut opened = pinned();
    opened.revision.commit = None;
    opened.revision.id = "3sL4kqtJ".to_owned();
    let run = run_of(opened, evidence());
    let short = run.id.short();
    assert!(says(
        &world,
        &run,
        &format!("signalbox say \"/deploy approve wallet mainnet {short}\" --as <your Slack id>")
    ));
}

#[test]
fn a_rejected_run_offers_no_stop() {
    let world = World::new();
    let mut events = evidence();
    events.push(decided(Ballot::Reject, &["U0ANN"], "17:55:50", None));
    events.push(answered(Ballot::Reject, "17:55:53", None, &[]));
    assert!(buttons(&card(&run_of(pinned(), events), &world.facts())).is_empty());
}
