//! How rows are written down: one line of text each, the same in the file and in Redis.
//!
//! A line is a few words that the store itself must understand, then one opaque text that it must not touch. That is cheap to split in Lua and in
//! Rust, needs no escaping, and keeps a closed run small: a journal row leaves out what its place already says (record, sequence number, the
//! predecessor's MAC), and a MAC takes 43 characters instead of 64.
//!
//! ```text
//! record   <version> <wake|-> <rows> <head> <fold>
//! journal  <at> <mac> <len>,<len>,<len>,<len>,<len> <actor><channel><cause><reason><config><event>
//! ledger   <version> <mac> <record>[ <refusal, as a journal line>]
//! effect   <due> <attempt> <fence> <leased until|-> <asked again: 0|1> <body>
//! seen     <until> <reply>
//! ```

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use commands::ids::{EffectKey, RecordId};
use commands::time::Timestamp;

use crate::audit::{LedgerRow, Row};
use crate::commit::Effect;
use crate::store::{StoreError, StoreTime, Stored};

/// What the store keeps of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RecordLine {
    pub(crate) version: u64,
    pub(crate) wake: Option<Timestamp>,
    pub(crate) rows: u64,
    /// As it is written down, see [`shorten`].
    pub(crate) head: String,
    pub(crate) fold: String,
}

/// What the store keeps of an effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EffectLine {
    pub(crate) due: i64,
    pub(crate) attempt: u32,
    pub(crate) fence: u64,
    pub(crate) leased_until: Option<i64>,
    /// Whether it was asked for again while it was leased.
    pub(crate) again: bool,
    pub(crate) body: String,
}

pub(crate) fn corrupt(what: &str, line: &str) -> StoreError {
    StoreError::Corrupt(format!(
        "a {what} does not look like one: `{}`",
        line.chars().take(60).collect::<String>()
    ))
}

/// The number of words before the opaque text differs; this splits them off.
fn words<'a, const N: usize>(what: &str, line: &'a str) -> Result<[&'a str; N], StoreError> {
    let mut parts = line.splitn(N, ' ');
    let mut found = [""; N];
    for slot in &mut found {
        *slot = parts.next().ok_or_else(|| corrupt(what, line))?;
    }
    Ok(found)
}

pub(crate) fn number<T: std::str::FromStr>(what: &str, word: &str) -> Result<T, StoreError> {
    word.parse().map_err(|_| corrupt(what, word))
}

fn is_mac(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// A MAC as it is written down: 32 bytes in base64 when it is one, else the text behind an equals sign, so that nothing is lost.
pub(crate) fn shorten(mac: &str) -> String {
    match hex::decode(mac) {
        _ if mac.is_empty() => "-".to_owned(),
        Ok(bytes) if is_mac(mac) => URL_SAFE_NO_PAD.encode(bytes),
        _ => format!("={mac}"),
    }
}

/// The MAC that [`shorten`] wrote down.
pub(crate) fn lengthen(word: &str) -> Result<String, StoreError> {
    if word == "-" {
        return Ok(String::new());
    }
    if let Some(text) = word.strip_prefix('=') {
        return Ok(text.to_owned());
    }
    URL_SAFE_NO_PAD
        .decode(word)
        .map(hex::encode)
        .map_err(|_| corrupt("MAC", word))
}

impl RecordLine {
    pub(crate) fn parse(line: &str) -> Result<Self, StoreError> {
        let [version, wake, rows, head, fold] = words("record", line)?;
        Self::of([version, wake, rows, head], fold.to_owned())
    }

    /// A record whose fold stands elsewhere; see [`RecordLine::place`].
    pub(crate) fn with_fold(place: &str, fold: String) -> Result<Self, StoreError> {
        Self::of(words("record", place)?, fold)
    }

    fn of([version, wake, rows, head]: [&str; 4], fold: String) -> Result<Self, StoreError> {
        let wake = if wake == "-" {
            None
        } else {
            Some(Timestamp(number("record", wake)?))
        };
        let (version, rows) = (number("record", version)?, number("record", rows)?);
        Ok(Self {
            version,
            wake,
            rows,
            head: head.to_owned(),
            fold,
        })
    }

    /// The line without the fold: where the record stands.
    pub(crate) fn place(&self) -> String {
        let Self {
            version, rows, head, ..
        } = self;
        format!("{version} {} {rows} {head}", wake_word(self.wake))
    }

    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.place(), self.fold)
    }

    /// As the caller sees it; `known` is the version whose fold the caller holds.
    pub(crate) fn stored(self, id: RecordId, known: u64) -> Result<Stored, StoreError> {
        let fold = (known != self.version).then_some(self.fold);
        Ok(Stored {
            id,
            version: self.version,
            fold,
            next_wake: self.wake,
            rows: self.rows,
            head: lengthen(&self.head)?,
        })
    }
}

/// A wake as a word.
pub(crate) fn wake_word(wake: Option<Timestamp>) -> String {
    wake.map_or_else(|| "-".to_owned(), |at| at.0.to_string())
}

impl EffectLine {
    pub(crate) fn parse(line: &str) -> Result<Self, StoreError> {
        let [due, attempt, fence, lease, again, body] = words("effect", line)?;
        let leased_until = if lease == "-" {
            None
        } else {
            Some(number("effect", lease)?)
        };
        let (due, attempt, fence) = (
            number("effect", due)?,
            number("effect", attempt)?,
            number("effect", fence)?,
        );
        Ok(Self {
            due,
            attempt,
            fence,
            leased_until,
            again: again == "1",
            body: body.to_owned(),
        })
    }

    pub(crate) fn line(&self) -> String {
        let Self {
            due,
            attempt,
            fence,
            body,
            ..
        } = self;
        let lease = self
            .leased_until
            .map_or_else(|| "-".to_owned(), |until| until.to_string());
        format!("{due} {attempt} {fence} {lease} {} {body}", u8::from(self.again))
    }

    /// As a worker sees it.
    pub(crate) fn effect(self, key: EffectKey) -> Effect {
        let leased_until = self.leased_until.map(StoreTime);
        Effect {
            key,
            body: self.body,
            due: Timestamp(self.due),
            attempt: self.attempt,
            fence: self.fence,
            leased_until,
        }
    }
}

/// A journal row as a line.
pub(crate) fn row_line(row: &Row) -> String {
    let Row {
        actor,
        channel,
        cause,
        reason,
        config,
        event,
        ..
    } = row;
    format!(
        "{} {} {},{},{},{},{} {actor}{channel}{cause}{reason}{config}{event}",
        row.at.0,
        shorten(&row.mac),
        actor.len(),
        channel.len(),
        cause.len(),
        reason.len(),
        config.len(),
    )
}

/// Where a row stands, which its line does not repeat.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    pub(crate) record: &'a RecordId,
    pub(crate) seq: u64,
    /// The predecessor's MAC, in hex.
    pub(crate) prev: &'a str,
}

/// The journal row that [`row_line`] wrote down.
pub(crate) fn row(line: &str, place: &Place<'_>) -> Result<Row, StoreError> {
    let [at, mac, lengths, mut rest] = words("journal row", line)?;
    let mut fields = [const { String::new() }; 5];
    let mut lengths = lengths.split(',');
    for field in &mut fields {
        let length = number("journal row", lengths.next().unwrap_or_default())?;
        let (text, tail) = rest
            .split_at_checked(length)
            .ok_or_else(|| corrupt("journal row", line))?;
        *field = text.to_owned();
        rest = tail;
    }
    let [actor, channel, cause, reason, config] = fields;
    let (record, seq, prev) = (place.record.clone(), place.seq, place.prev.to_owned());
    let (at, mac, event) = (Timestamp(number("journal row", at)?), lengthen(mac)?, rest.to_owned());
    Ok(Row {
        record,
        seq,
        at,
        actor,
        channel,
        cause,
        reason,
        config,
        event,
        prev,
        mac,
    })
}

/// The lines of a journal from the row `first` on as rows; `before` is the line of the row before them, if there is one.
pub(crate) fn rows(
    record: &RecordId,
    first: u64,
    before: Option<&str>,
    lines: &[String],
) -> Result<Vec<Row>, StoreError> {
    let mut prev = match before {
        Some(line) => lengthen(words::<3>("journal row", line)?[1])?,
        None => String::new(),
    };
    let mut rows = Vec::with_capacity(lines.len());
    for (seq, line) in (first..).zip(lines) {
        let row = row(
            line,
            &Place {
                record,
                seq,
                prev: &prev,
            },
        )?;
        prev.clone_from(&row.mac);
        rows.push(row);
    }
    Ok(rows)
}

/// The ledger's line for a record that was written.
pub(crate) fn ledger_line(version: u64, head: &str, record: &RecordId) -> String {
    format!("{version} {head} {record}")
}

/// The ledger's line for a refusal.
pub(crate) fn refusal_line(row: &Row) -> String {
    format!("0 {} {} {}", shorten(&row.mac), row.record, row_line(row))
}

/// The ledger row that stands at `seq`.
pub(crate) fn ledger_row(seq: u64, line: &str) -> Result<LedgerRow, StoreError> {
    let [version, mac, rest] = words("ledger row", line)?;
    let (record, refusal) = rest
        .split_once(' ')
        .map_or((rest, None), |(record, refusal)| (record, Some(refusal)));
    let record = record_id(record)?;
    let refusal = refusal
        .map(|line| {
            row(
                line,
                &Place {
                    record: &record,
                    seq: 0,
                    prev: "",
                },
            )
        })
        .transpose()?;
    Ok(LedgerRow {
        seq,
        version: number("ledger row", version)?,
        mac: lengthen(mac)?,
        record,
        refusal,
    })
}

/// The answer remembered under an id, unless it is forgotten by now.
pub(crate) fn remembered(line: &str, now: StoreTime) -> Result<Option<String>, StoreError> {
    let [until, reply] = words("remembered answer", line)?;
    Ok((number::<i64>("remembered answer", until)? > now.0).then(|| reply.to_owned()))
}

/// A record id that was stored.
pub(crate) fn record_id(text: &str) -> Result<RecordId, StoreError> {
    RecordId::parse(text).map_err(|_| corrupt("record id", text))
}

/// An effect key that was stored.
pub(crate) fn effect_key(text: &str) -> Result<EffectKey, StoreError> {
    EffectKey::parse(text).map_err(|_| corrupt("effect key", text))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn lines_give_back_what_was_written(
            texts in prop::array::uniform6(".{0,12}"),
            at in any::<i64>(), mac in "[0-9a-f]{64}|[a-z0-9=-]{1,70}|",
        ) {
            let record = RecordId::parse("run/mainnet/0a1b").expect("a name");
            let [actor, channel, cause, reason, config, event] = texts;
            let prev = "prev".to_owned();
            let row = Row { record, seq: 4, at: Timestamp(at), actor, channel, cause, reason, config, event, prev, mac };
            let place = Place { record: &row.record, seq: 4, prev: "prev" };
            prop_assert_eq!(&super::row(&row_line(&row), &place).expect("a row"), &row);
            let refusal = Row { seq: 0, prev: String::new(), ..row };
            let entry = ledger_row(9, &refusal_line(&refusal)).expect("a ledger row");
            prop_assert_eq!(entry.refusal, Some(refusal));
        }
    }

    #[test]
    fn a_line_that_was_cut_is_an_error_and_not_a_panic() {
        let place = Place {
            record: &RecordId::desk(),
            seq: 1,
            prev: "",
        };
        for line in [
            "",
            "1",
            "1 - 9,0,0,0,0 short",
            "1 - 1,0,0,0,0 é",
            "1 - ,,,, x",
            "x - 0,0,0,0,0 y",
        ] {
            assert!(row(line, &place).is_err(), "{line:?} was read");
        }
        assert!(RecordLine::parse("1 - 0").is_err());
        assert!(EffectLine::parse("1 2 3 - 0").is_err());
    }
}
