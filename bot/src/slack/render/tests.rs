use commands::ids::{ChannelId, GroupId, UserId};
use commands::time::Timestamp;
use commands::view::{DateStyle, Inline, Sign, bold, code, text};
use proptest::prelude::*;
use serde_json::Value;

use super::*;

const AT: Timestamp = Timestamp(1_795_226_162_000);

fn button(action: &str, label: &str, style: ButtonStyle) -> Button {
    Button {
        action: action.to_owned(),
        value: "wallet run/mainnet/4f2c1d9".to_owned(),
        label: label.to_owned(),
        spoken: format!("{label} wallet on mainnet"),
        style,
        confirm: None,
        url: None,
    }
}

/// A card with everything a card can hold.
fn card() -> Message {
    Message {
        fallback: "wallet → mainnet: 4f2c1d9, retry <tx> & more".to_owned(),
        blocks: vec![
            headline(),
            fields(),
            Block::Divider,
            small_print(),
            Block::Verbatim("error: <bad> ```\n\tat line 3\n".to_owned()),
            buttons(),
        ],
    }
}

fn when(style: DateStyle) -> Inline {
    Inline::Date { at: AT, style }
}

fn headline() -> Block {
    let foreign = " fix *all* & <!channel> `x`\n> y";
    Block::Section(vec![
        vec![bold("wallet → mainnet"), text(": "), code("4f2c1d9"), text(foreign)],
        vec![Inline::Sign(Sign::Waiting), text(" since "), when(DateStyle::DayTime)],
    ])
}

fn fields() -> Block {
    let link = Inline::Link {
        url: "https://github.com/acme/wallet/compare/a...b?x=1&y=<z>|w".to_owned(),
        text: "4 commits | <see>".to_owned(),
    };
    let author = Inline::Mention(UserId::parse("U0DANA").unwrap());
    let group = Inline::Group(GroupId::parse("S0WALLET").unwrap());
    Block::Fields(vec![
        ("Author".to_owned(), vec![author]),
        ("Who may".to_owned(), vec![group]),
        ("Change".to_owned(), vec![link]),
        ("Nothing".to_owned(), vec![]),
    ])
}

fn small_print() -> Block {
    let channel = Inline::Channel(ChannelId::parse("C0DEPLOYS").unwrap());
    Block::Context(vec![
        vec![text("in "), channel, text(" at "), when(DateStyle::Seconds)],
        vec![Inline::Mention(UserId::parse("os:ann").unwrap()), text(" said so")],
    ])
}

fn buttons() -> Block {
    let confirm = Confirm {
        title: "Approve on mainnet?".to_owned(),
        text: "4f2c1d9 goes <live>".to_owned(),
        yes: "Approve".to_owned(),
        no: "Back".to_owned(),
    };
    let approve = Button {
        confirm: Some(confirm),
        ..button("approve", "Approve", ButtonStyle::Primary)
    };
    let page = Button {
        url: Some("https://console.aws.amazon.com/x".to_owned()),
        ..button("open", "Pipeline", ButtonStyle::Plain)
    };
    Block::Actions(vec![
        approve,
        button("reject", "Reject…", ButtonStyle::Danger),
        button("reject", "Reject all", ButtonStyle::Plain),
        page,
    ])
}

#[test]
fn a_card_in_block_kit() {
    insta::assert_json_snapshot!(message(&card()));
}

#[test]
fn a_form_in_block_kit() {
    let reason = Input {
        name: "reason".to_owned(),
        label: "Why?".to_owned(),
        hint: Some("People and the journal will see it".to_owned()),
        optional: false,
        multiline: true,
        max_length: 400,
    };
    let form = Modal {
        form: "reject".to_owned(),
        about: "wallet run/mainnet/4f2c1d9".to_owned(),
        title: "Reject 4f2c1d9 on mainnet".to_owned(),
        submit: "Reject".to_owned(),
        blocks: vec![Block::Section(vec![vec![text("This stops the run.")]])],
        inputs: vec![reason],
    };
    insta::assert_json_snapshot!(modal(&form));
}

#[test]
fn an_equal_message_is_an_equal_drawing_and_another_has_other_blocks() {
    let (one, same) = (message(&card()), message(&card()));
    assert_eq!(one.digest, same.digest);
    let mut other = card();
    other.blocks.push(Block::Divider);
    let other = message(&other);
    let ids = |drawn: &Drawn| -> Vec<String> { all(&serde_json::to_value(drawn).unwrap(), "block_id") };
    assert!(ids(&one).iter().all(|id| !ids(&other).contains(id)));
}

#[test]
fn what_does_not_fit_is_counted_and_buttons_stay() {
    let mut blocks: Vec<_> = (0..80)
        .map(|number| Block::Section(vec![vec![text(format!("line {number}"))]]))
        .collect();
    blocks.push(Block::Actions(vec![button("approve", "Approve", ButtonStyle::Plain)]));
    let drawn = message(&Message {
        fallback: "x".to_owned(),
        blocks,
    });
    assert_eq!(drawn.blocks.len(), limits::BLOCKS);
    let text = serde_json::to_value(&drawn).unwrap();
    assert_eq!(text["blocks"][49]["type"], "actions");
    assert_eq!(text["blocks"][48]["elements"][0]["text"], "… and 32 more");
}

#[test]
fn long_sections_go_on_in_the_next_one() {
    let line = vec![text("x".repeat(1_400))];
    let drawn = message(&Message {
        fallback: "x".to_owned(),
        blocks: vec![Block::Section(vec![line; 5])],
    });
    let texts = all(&serde_json::to_value(&drawn.blocks).unwrap(), "text");
    let lengths: Vec<_> = texts.iter().map(|text| text.len()).collect();
    assert_eq!(lengths, [2_801, 2_801, 1_400]);
}

#[test]
fn hidden_characters_are_spelled_out_and_emoji_stay_whole() {
    let drawn = |words: &str| mrkdwn::words(words, 100);
    assert_eq!(drawn("main\u{202e}net\u{200b}"), "main⟨U+202E⟩net⟨U+200B⟩");
    assert_eq!(
        drawn("\u{1f469}\u{200d}\u{1f4bb} ships"),
        "\u{1f469}\u{200d}\u{1f4bb} ships"
    );
    assert_eq!(drawn("a\u{200d}b"), "a⟨U+200D⟩b");
    assert_eq!(
        drawn("feat_x __init__ *now* ~no~ `x` a*b"),
        "feat_x ˍˍinitˍˍ ∗now∗ ∼no∼ ˋxˋ a*b"
    );
}

/// `__version__` is markup at the edge of a word, and a part of an address that people copy.
#[test]
fn an_address_with_marks_stays_the_address() {
    let drawn = |words: &str| mrkdwn::line(&vec![text(words)], 200);
    assert_eq!(
        drawn("GET https://aus5.example.org/__version__, until *200*"),
        "GET <https://aus5.example.org/__version__>, until \u{2217}200\u{2217}"
    );
    let two = "https://a.example.org/x_y https://a.example.org/_b_?c=1&d=|> end";
    assert_eq!(
        drawn(two),
        "https://a.example.org/x_y <https://a.example.org/_b_?c=1&amp;d=%7C%3E> end"
    );
    // What is no address of the web stays words.
    assert_eq!(
        drawn("http://a.example.org/__b__"),
        "http://a.example.org/\u{2cd}\u{2cd}b\u{2cd}\u{2cd}"
    );
    assert_eq!(
        drawn("https://u:p@a.example.org/_b_ _"),
        "https://u:p@a.example.org/\u{2cd}b\u{2cd} \u{2cd}"
    );
}

#[test]
fn only_https_becomes_a_link() {
    for bad in [
        "javascript:alert(1)",
        "http://x.example/",
        "https://user:pass@x.example/",
        "not a url",
        "ftp://x",
    ] {
        let link = Inline::Link {
            url: bad.to_owned(),
            text: "see".to_owned(),
        };
        assert_eq!(mrkdwn::line(&vec![link], 100), "see", "{bad}");
    }
}

#[test]
fn the_action_of_a_numbered_button_is_its_own() {
    assert_eq!(action("reject#2"), "reject");
    assert_eq!(action("reject"), "reject");
}

/// Every string under this key, anywhere.
fn all(value: &Value, key: &str) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(|item| all(item, key)).collect(),
        Value::Object(map) => {
            let here = map.get(key).and_then(Value::as_str).map(str::to_owned);
            here.into_iter()
                .chain(map.values().flat_map(|inner| all(inner, key)))
                .collect()
        }
        _ => vec![],
    }
}

/// Texts that Slack reads as markup.
fn markups(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(markups).collect(),
        Value::Object(map) if map.get("type") == Some(&Value::from("mrkdwn")) => all(&map["text"], "")
            .into_iter()
            .chain(map["text"].as_str().map(str::to_owned))
            .collect(),
        Value::Object(map) => map.values().flat_map(markups).collect(),
        _ => vec![],
    }
}

fn nasty() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        4 => any::<String>(),
        2 => Just("<!channel>".to_owned()),
        1 => Just("<!here|x>".to_owned()),
        1 => Just("<@U0ANN>".to_owned()),
        1 => Just("<https://evil.example|bank>".to_owned()),
        1 => Just("&lt;!everyone&gt;".to_owned()),
        1 => Just("&".to_owned()),
        1 => Just("```*_~|>".to_owned()),
        1 => Just("\u{202e}\u{200b}\u{2066}".to_owned()),
        1 => Just("\n> \n".to_owned()),
        1 => ("[a-z<>&😀]{1,20}", 100..300_usize).prop_map(|(word, times)| word.repeat(times)),
    ];
    proptest::collection::vec(pieces, 0..4).prop_map(|pieces| pieces.concat())
}

fn foreign() -> impl Strategy<Value = Inline> {
    prop_oneof![
        nasty().prop_map(Inline::Text),
        nasty().prop_map(Inline::Bold),
        nasty().prop_map(Inline::Code),
        (nasty(), nasty()).prop_map(|(url, text)| Inline::Link { url, text }),
        nasty().prop_map(|text| Inline::Link {
            url: "https://good.example/a?b=1&c=<d>|e".to_owned(),
            text
        }),
    ]
}

fn line() -> impl Strategy<Value = Line> {
    proptest::collection::vec(foreign(), 0..4)
}

fn any_button() -> impl Strategy<Value = Button> {
    (nasty(), nasty(), nasty(), any::<bool>(), nasty()).prop_map(|(value, label, spoken, asks, url)| Button {
        action: "do".to_owned(),
        value,
        label: label.clone(),
        spoken,
        style: ButtonStyle::Danger,
        confirm: asks.then(|| Confirm {
            title: label.clone(),
            text: label.clone(),
            yes: label.clone(),
            no: label,
        }),
        url: Some(url).filter(|url| url.len() % 2 == 1),
    })
}

fn any_block() -> impl Strategy<Value = Block> {
    prop_oneof![
        3 => proptest::collection::vec(line(), 0..4).prop_map(Block::Section),
        2 => proptest::collection::vec((nasty(), line()), 0..14).prop_map(Block::Fields),
        2 => proptest::collection::vec(line(), 0..4).prop_map(Block::Context),
        1 => Just(Block::Divider),
        2 => proptest::collection::vec(any_button(), 0..30).prop_map(Block::Actions),
        1 => nasty().prop_map(Block::Verbatim),
    ]
}

/// What may follow a `<` when all text is foreign: the one good link, and nothing else.
fn check_markup(text: &str) -> Result<(), TestCaseError> {
    for (at, _) in text.match_indices('<') {
        let rest = &text[at..];
        prop_assert!(
            rest.starts_with("<https://"),
            "live markup: {:?}",
            rest.chars().take(40).collect::<String>()
        );
        let end = rest.find('>');
        prop_assert!(
            end.is_some_and(|end| rest[..end].matches('|').count() == 1),
            "a broken link"
        );
    }
    prop_assert_eq!(text.matches('<').count(), text.matches('>').count(), "an unpaired >");
    for (at, _) in text.match_indices('&') {
        let entity = ["&amp;", "&lt;", "&gt;"]
            .iter()
            .any(|entity| text[at..].starts_with(entity));
        prop_assert!(
            entity,
            "a split entity: {:?}",
            text[at..].chars().take(8).collect::<String>()
        );
    }
    for c in text.chars().filter(|c| *c != '\n') {
        prop_assert!(
            !c.is_control() && !('\u{202a}'..='\u{202e}').contains(&c) && c != '\u{200b}',
            "hidden: {c:?}"
        );
    }
    Ok(())
}

fn check_limits(block: &Value) -> Result<(), TestCaseError> {
    let short = |value: &Value, limit: usize| {
        value
            .as_str()
            .is_none_or(|text| limits::length(text) <= limit && !text.is_empty())
    };
    match block["type"].as_str() {
        Some("section") if block["text"].is_null() => {
            let fields = block["fields"].as_array().unwrap();
            prop_assert!((1..=limits::FIELDS).contains(&fields.len()));
            prop_assert!(fields.iter().all(|field| short(&field["text"], limits::FIELD)));
        }
        Some("section") => prop_assert!(short(&block["text"]["text"], limits::SECTION)),
        Some("context") => {
            let elements = block["elements"].as_array().unwrap();
            prop_assert!((1..=10).contains(&elements.len()));
            prop_assert!(elements.iter().all(|element| short(&element["text"], limits::CONTEXT)));
        }
        Some("actions") => {
            let elements = block["elements"].as_array().unwrap();
            prop_assert!((1..=limits::ACTIONS).contains(&elements.len()));
            let ids: std::collections::BTreeSet<_> = elements
                .iter()
                .map(|element| element["action_id"].to_string())
                .collect();
            prop_assert_eq!(ids.len(), elements.len());
            for element in elements {
                prop_assert!(short(&element["text"]["text"], limits::BUTTON));
                prop_assert!(short(&element["accessibility_label"], limits::BUTTON));
                prop_assert!(short(&element["value"], limits::VALUE));
                prop_assert!(short(&element["url"], limits::URL));
                let asked = &element["confirm"];
                prop_assert!(short(&asked["title"]["text"], limits::CONFIRM_TITLE));
                prop_assert!(short(&asked["text"]["text"], limits::CONFIRM_TEXT));
                prop_assert!(short(&asked["confirm"]["text"], limits::CONFIRM_BUTTON));
                prop_assert!(short(&asked["deny"]["text"], limits::CONFIRM_BUTTON));
            }
        }
        Some("divider") => {}
        other => prop_assert!(false, "an unexpected block: {other:?}"),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn nothing_foreign_ever_becomes_markup_and_everything_fits(fallback in nasty(), blocks in proptest::collection::vec(any_block(), 0..8), rules in 0..60_usize) {
        let blocks = blocks.into_iter().chain(std::iter::repeat_n(Block::Divider, rules)).collect();
        let drawn = serde_json::to_value(message(&Message { fallback, blocks })).unwrap();
        let fallback = drawn["text"].as_str().unwrap();
        check_markup(fallback)?;
        prop_assert!(!fallback.contains("<http"), "a link from plain words");
        prop_assert!((1..=limits::FALLBACK).contains(&limits::length(fallback)));
        let blocks = drawn["blocks"].as_array().unwrap();
        prop_assert!(blocks.len() <= limits::BLOCKS);
        for block in blocks {
            check_limits(block)?;
        }
        for text in markups(&drawn) {
            check_markup(&text)?;
        }
        let ids = all(&drawn, "block_id");
        prop_assert_eq!(ids.iter().collect::<std::collections::BTreeSet<_>>().len(), blocks.len());
    }
}

#[test]
fn the_property_would_see_an_unescaped_text() {
    assert!(check_markup("hello <!channel>").is_err());
    assert!(check_markup("half an entity &am").is_err());
    assert!(check_markup("<https://good.example|see> &amp; &lt;x&gt;").is_ok());
}
