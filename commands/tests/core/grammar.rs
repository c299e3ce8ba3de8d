//! Words that cannot be understood: what people read then. And: no words break anything.

use commands::grammar::Scope;
use commands::verb;
use proptest::prelude::*;

use crate::world::{CHANNEL, World, channel};

fn error(text: &str) -> String {
    let world = World::new();
    let home = channel(CHANNEL);
    match verb::parse(
        text,
        &Scope {
            catalog: &world.catalog,
            channel: &home,
        },
    ) {
        Err(error) => crate::world::text_of(&error.message()),
        Ok(parsed) => panic!("{text} was understood: {parsed:?}"),
    }
}

#[test]
fn errors_point_and_suggest() {
    insta::assert_snapshot!(error("/deploy approve mianet"), @r"
    there is no environment mianet: known are testnet, mainnet
    there is no environment mianet: known are testnet, mainnet
    /deploy approve mianet
                    ^^^^^^
    Did you mean /deploy approve mainnet?
    ");
    insta::assert_snapshot!(error("/deploy aprove mainnet"), @r"
    there is no verb aprove; /deploy help lists them
    there is no verb aprove; /deploy help lists them
    /deploy aprove mainnet
            ^^^^^^
    Did you mean /deploy approve mainnet?
    ");
    insta::assert_snapshot!(error("/deploy approve"), @r"
    say which environment: testnet, mainnet
    say which environment: testnet, mainnet
    /deploy approve
                    ^
    ");
    insta::assert_snapshot!(error("/deploy lock mainnet for 2x"), @r"
    this is not a span of time: write 30m, 2h, 1h30m or 3d
    this is not a span of time: write 30m, 2h, 1h30m or 3d
    /deploy lock mainnet for 2x
                             ^^
    ");
    insta::assert_snapshot!(error("/deploy lock mainnet until 18:00 the audit"), @r"
    an end is not read here: write how long, such as for 2h
    an end is not read here: write how long, such as for 2h
    /deploy lock mainnet until 18:00 the audit
                         ^^^^^
    ");
    insta::assert_snapshot!(error("/deploy reject mainnet"), @r"
    say why: those who wait for it will read it
    say why: those who wait for it will read it
    /deploy reject mainnet
                           ^
    ");
}

#[test]
fn a_misspelled_flag_is_no_reason() {
    insta::assert_snapshot!(error("/deploy lock mainnet --stael my turn"), @r"
    lock has no flag --stael, only --steal; if it is part of the reason, put quotation marks around it
    lock has no flag --stael, only --steal; if it is part of the reason, put quotation marks around it
    /deploy lock mainnet --stael my turn
                         ^^^^^^^
    Did you mean /deploy lock mainnet --steal my turn?
    ");
    insta::assert_snapshot!(error("/deploy approve mainnet a1b2c3d --overide now"), @r"
    approve has no flag --overide, only --override; if it is part of the reason, put quotation marks around it
    approve has no flag --overide, only --override; if it is part of the reason, put quotation marks around it
    /deploy approve mainnet a1b2c3d --overide now
                                    ^^^^^^^^^
    Did you mean /deploy approve mainnet a1b2c3d --override now?
    ");
    insta::assert_snapshot!(error("/deploy status mainnet --all"), @r"
    status has no flags
    status has no flags
    /deploy status mainnet --all
                           ^^^^^
    ");
    for wrong in [
        "lock mainnet \u{2014}stael my turn",
        "lock mainnet -steal my turn",
        "lock mainnet my turn --force",
        "--force lock mainnet",
        "lock mainnet --override my turn",
        "reject mainnet \"it said --force",
        "stop testnet --now",
    ] {
        let told = error(&format!("/deploy {wrong}"));
        assert!(told.contains("^^^"), "{wrong}: {told}");
    }
}

#[test]
fn quotation_marks_make_a_flag_a_part_of_the_reason() {
    let world = World::new();
    let home = channel(CHANNEL);
    let scope = Scope {
        catalog: &world.catalog,
        channel: &home,
    };
    let parsed = |text: &str| format!("{:?}", verb::parse(&format!("/deploy {text}"), &scope).expect("words"));
    let quoted = parsed("lock mainnet \"never use --steal here\" please");
    assert!(
        quoted.contains("steal: false") && quoted.contains("never use --steal here"),
        "{quoted}"
    );
    assert!(parsed("lock mainnet \u{201c}--force\u{201d}, says Ann").contains("--force"));
    assert!(parsed("lock mainnet \"--force\" --steal").contains("steal: true"));
    // A dash between words is a dash, and so is a number's.
    for dash in [
        "wait \u{2014} it rains",
        "wait -- it rains",
        "a - b",
        "it is -5 degrees",
        "well-known --",
    ] {
        let text = parsed(&format!("lock mainnet {dash}"));
        assert!(text.contains(dash), "{text}");
    }
}

#[test]
fn a_look_alike_is_not_the_environment() {
    assert!(error("/deploy approve m\u{0430}innet").contains("there is no environment"));
}

#[test]
fn phones_write_dashes_and_capitals() {
    let world = World::new();
    let home = channel(CHANNEL);
    let scope = Scope {
        catalog: &world.catalog,
        channel: &home,
    };
    let plain = verb::parse("/deploy approve mainnet --override now", &scope).expect("words");
    assert_eq!(
        verb::parse("/deploy Approve Mainnet \u{2014}override now", &scope).expect("words"),
        plain
    );
}

proptest! {
    #[test]
    fn no_words_break_it(text in "(/deploy |)[a-z ]{0,12}.{0,60}") {
        let world = World::new();
        let home = channel(CHANNEL);
        if let Err(error) = verb::parse(&text, &Scope { catalog: &world.catalog, channel: &home }) {
            prop_assert!(!error.message().fallback.is_empty());
            prop_assert!(error.at <= text.chars().count() + 1);
        }
    }
}

/// Whoever ends their reason with a span means it: it is not a part of the reason that holds forever.
#[test]
fn a_span_may_stand_behind_the_reason() {
    let held = |text: &str| {
        let mut world = World::new();
        world.says("U0CARLA", text);
        let lock = world.desk.locks.values().next().expect("a lock").clone();
        (lock.until.map(|until| until.0 - world.now.0), lock.reason)
    };
    let hour = Some(3_600_000);
    assert_eq!(
        held("/deploy lock mainnet for 1h the audit"),
        (hour, "the audit".to_owned())
    );
    assert_eq!(
        held("/deploy lock mainnet the audit for 1h"),
        (hour, "the audit".to_owned())
    );
    assert_eq!(
        held("/deploy lock mainnet the audit \"for 1h\""),
        (None, "the audit \"for 1h\"".to_owned())
    );
    assert_eq!(
        held("/deploy lock mainnet room for 1h of quiet"),
        (None, "room for 1h of quiet".to_owned())
    );
    assert_eq!(
        held("/deploy lock mainnet waits for review"),
        (None, "waits for review".to_owned())
    );
}
