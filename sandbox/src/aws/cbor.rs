//! CBOR to JSON values and back: what the RPC v2 protocol sends, which the newest clients of CodePipeline and CloudWatch speak.

use std::borrow::Cow;

use minicbor::data::{Tag, Type};
use minicbor::{Decoder, Encoder};
use serde_json::{Map, Value, json};

use super::value::{as_timestamp, seconds};

/// Deeper structures than any operation has.
const DEPTH: usize = 16;
/// Tag 1: seconds since the epoch.
const EPOCH: u64 = 1;

/// Reads one value; `None` when the bytes are not what the protocol allows.
pub(crate) fn decode(bytes: &[u8]) -> Option<Value> {
    let mut decoder = Decoder::new(bytes);
    let value = read(&mut decoder, DEPTH)?;
    (decoder.position() == bytes.len()).then_some(value)
}

/// Writes a value. Instants become tagged numbers, which is the only form that the clients accept.
pub(crate) fn encode(value: &Value) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    // Writing to memory cannot fail.
    drop(write(&mut encoder, value));
    encoder.into_writer()
}

fn read(decoder: &mut Decoder<'_>, depth: usize) -> Option<Value> {
    let depth = depth.checked_sub(1)?;
    match decoder.datatype().ok()? {
        Type::Bool => decoder.bool().ok().map(Value::Bool),
        Type::Null => decoder.null().ok().map(|()| Value::Null),
        Type::Undefined => decoder.undefined().ok().map(|()| Value::Null),
        Type::F32 | Type::F64 => decoder.f64().ok().map(|number| json!(number)),
        Type::Tag => {
            decoder.tag().ok()?;
            read(decoder, depth)
        }
        Type::String | Type::StringIndef => text(decoder).map(|text| json!(text)),
        Type::Array | Type::ArrayIndef => {
            let mut left = decoder.array().ok()?;
            let mut items = Vec::new();
            while more(decoder, &mut left)? {
                items.push(read(decoder, depth)?);
            }
            Some(Value::Array(items))
        }
        Type::Map | Type::MapIndef => {
            let mut left = decoder.map().ok()?;
            let mut members = Map::new();
            while more(decoder, &mut left)? {
                let key = text(decoder)?.into_owned();
                members.insert(key, read(decoder, depth)?);
            }
            Some(Value::Object(members))
        }
        Type::U8 | Type::U16 | Type::U32 | Type::U64 | Type::I8 | Type::I16 | Type::I32 | Type::I64 => {
            decoder.i64().ok().map(|number| json!(number))
        }
        _ => None,
    }
}

/// Whether a list or map goes on; eats the break at its end.
fn more(decoder: &mut Decoder<'_>, left: &mut Option<u64>) -> Option<bool> {
    if let Some(left) = left {
        let goes_on = *left > 0;
        *left = left.saturating_sub(1);
        return Some(goes_on);
    }
    if decoder.datatype().ok()? == Type::Break {
        decoder.skip().ok()?;
        return Some(false);
    }
    Some(true)
}

fn text<'b>(decoder: &mut Decoder<'b>) -> Option<Cow<'b, str>> {
    if decoder.datatype().ok()? == Type::String {
        return decoder.str().ok().map(Cow::Borrowed);
    }
    decoder
        .str_iter()
        .ok()?
        .collect::<Result<String, _>>()
        .ok()
        .map(Cow::Owned)
}

type Written = Result<(), minicbor::encode::Error<std::convert::Infallible>>;

fn write(encoder: &mut Encoder<Vec<u8>>, value: &Value) -> Written {
    if let Some(at_ms) = as_timestamp(value) {
        return encoder.tag(Tag::new(EPOCH))?.f64(seconds(at_ms))?.ok();
    }
    match value {
        Value::Null => encoder.null()?.ok(),
        Value::Bool(flag) => encoder.bool(*flag)?.ok(),
        Value::String(text) => encoder.str(text)?.ok(),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => encoder.i64(whole)?.ok(),
            (None, fraction) => encoder.f64(fraction.unwrap_or_default())?.ok(),
        },
        Value::Array(items) => {
            encoder.array(items.len() as u64)?;
            items.iter().try_for_each(|item| write(encoder, item))
        }
        Value::Object(members) => {
            encoder.map(members.len() as u64)?;
            members.iter().try_for_each(|(key, value)| {
                encoder.str(key)?;
                write(encoder, value)
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::value::timestamp;
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let value =
            json!({"name": "wallet", "n": -70_000, "big": 9_007_199_254_740_991_i64, "list": [true, null, 1.5, {}]});
        assert_eq!(decode(&encode(&value)), Some(value));
    }

    #[test]
    fn an_instant_is_a_tagged_number_of_seconds() {
        let bytes = encode(&timestamp(1_500));
        assert_eq!(bytes, [0xc1, 0xfb, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn maps_and_texts_of_unknown_length_are_read() {
        // {_ "a": (_ "b", "c"), "d": [_ 1]}
        let bytes = [
            0xbf, 0x61, b'a', 0x7f, 0x61, b'b', 0x61, b'c', 0xff, 0x61, b'd', 0x9f, 0x01, 0xff, 0xff,
        ];
        assert_eq!(decode(&bytes), Some(json!({"a": "bc", "d": [1]})));
    }

    #[test]
    fn what_is_broken_or_endless_is_refused() {
        let nested: Vec<u8> = std::iter::repeat_n(0x81, 1000).collect();
        for bytes in [&[][..], &[0xbf], &[0x61], &[0x01, 0x01], &[0xa1, 0x01, 0x01], &nested] {
            assert_eq!(decode(bytes), None, "{bytes:?}");
        }
    }
}
