//! `dns`: one question to each resolver a look, and all of them have to agree.
//!
//! The questions are asked here rather than by a resolver library: such a library keeps answers and shares them out, and what is wanted is precisely
//! what each resolver says now. Nothing secret goes out, and an answer that somebody forges can only delay or hurry a wait, so there is no door here.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use async_trait::async_trait;
use commands::effect::StepOutcome;
use commands::step::{Dns, RecordType as Wanted};
use futures::future::join_all;
use hickory_proto::op::{Message, MessageType, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

use super::listed::cut;
use super::{Answer, At, Executor, StepError, pending};

const TIMEOUT: Duration = Duration::from_secs(3);
/// A datagram may get lost.
const TRIES: u32 = 2;
/// More than any answer by UDP has, for none of the extensions that allow more is asked for.
const DATAGRAM: usize = 1232;

/// What a resolver says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Said {
    values: BTreeSet<String>,
    /// The longest lifetime on the way to the values, in seconds.
    ttl: u32,
}

#[async_trait]
impl Executor for Dns {
    async fn prepare(&self, _: At<'_>) -> Answer {
        let answers = ask_all(self).await?;
        Ok(match judge(self, &answers) {
            Ok(said) => StepOutcome::Prepared {
                memo: Value::Null,
                outputs: outputs(&said),
                evidence: vec![agreed(self, &said)],
                done: true,
            },
            Err(words) => StepOutcome::Prepared {
                memo: Value::Null,
                outputs: BTreeMap::new(),
                evidence: vec![words],
                done: false,
            },
        })
    }

    async fn watch(&self, _: At<'_>) -> Answer {
        let answers = ask_all(self).await?;
        Ok(match judge(self, &answers) {
            Ok(said) => StepOutcome::Finished {
                outputs: outputs(&said),
                evidence: vec![agreed(self, &said)],
            },
            Err(words) => pending(Value::Null, words),
        })
    }
}

fn outputs(said: &Said) -> BTreeMap<String, String> {
    let values: Vec<&str> = said.values.iter().map(String::as_str).collect();
    BTreeMap::from([
        ("values".to_owned(), cut(&values.join(", "))),
        ("ttl".to_owned(), said.ttl.to_string()),
    ])
}

fn agreed(step: &Dns, said: &Said) -> String {
    let values: Vec<&str> = said.values.iter().map(String::as_str).collect();
    let who = match step.resolvers.len() {
        1 => "the resolver says".to_owned(),
        many => format!("all {many} resolvers say"),
    };
    format!("{who} {}, for at most {} s", cut(&values.join(", ")), said.ttl)
}

type Answers = Vec<(String, Result<Said, String>)>;

async fn ask_all(step: &Dns) -> Result<Answers, StepError> {
    let name = Name::from_utf8(&step.name)
        .map_err(|_| StepError::failed("bad_name", format!("`{}` is no name", step.name)))?;
    let mut addresses = Vec::new();
    for resolver in &step.resolvers {
        let odd = |_| StepError::failed("bad_resolver", format!("`{resolver}` is no address and port"));
        addresses.push((resolver, resolver.parse::<SocketAddr>().map_err(odd)?));
    }
    let asked = addresses.into_iter().map(|(resolver, address)| {
        let name = name.clone();
        async move { (resolver.clone(), ask(address, name, step.kind).await) }
    });
    Ok(join_all(asked).await)
}

/// What all of them say when they agree and it is as it should be; else who does not, and how. Lifetimes run down with every look, so their numbers
/// are no news.
fn judge(step: &Dns, answers: &[(String, Result<Said, String>)]) -> Result<Said, String> {
    let wanted: BTreeSet<String> = step.values.iter().map(|value| normal(step.kind, value)).collect();
    let mut whole = Said::default();
    let mut wrong = Vec::new();
    for (resolver, answer) in answers {
        let said = match answer {
            Ok(said) => said,
            Err(why) => {
                wrong.push(format!("{resolver} does not tell: {why}"));
                continue;
            }
        };
        let values: Vec<&str> = said.values.iter().map(String::as_str).collect();
        if said.values.is_empty() {
            wrong.push(format!("{resolver} knows no such record"));
        } else if !wanted.is_empty() && said.values != wanted {
            wrong.push(format!("{resolver} says {}", cut(&values.join(", "))));
        } else if step.ttl_at_most.is_some_and(|most| said.ttl > most) {
            wrong.push(format!("{resolver} keeps it for longer"));
        }
        whole.values.extend(said.values.iter().cloned());
        whole.ttl = whole.ttl.max(said.ttl);
    }
    if wrong.is_empty() {
        Ok(whole)
    } else {
        Err(wrong.join("; "))
    }
}

/// A value as it is compared: names in lower case without the dot at their end.
fn normal(kind: Wanted, value: &str) -> String {
    match kind {
        Wanted::Cname => value.trim_end_matches('.').to_lowercase(),
        Wanted::A | Wanted::Aaaa => {
            let address = value.parse::<std::net::IpAddr>();
            address.map_or_else(|_| value.to_owned(), |address| address.to_string())
        }
        Wanted::Txt => value.to_owned(),
    }
}

/// Asks one resolver; the error says why it does not tell.
async fn ask(resolver: SocketAddr, name: Name, kind: Wanted) -> Result<Said, String> {
    let mut message = Message::query();
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(name, record_type(kind)));
    let question = message
        .to_vec()
        .map_err(|_| "the question cannot be written".to_owned())?;
    let mut last = String::new();
    for _ in 0..TRIES {
        match tokio::time::timeout(TIMEOUT, by_udp(resolver, &question, &message)).await {
            Ok(Ok(answer)) if answer.metadata.truncation => {
                let whole = tokio::time::timeout(TIMEOUT, by_tcp(resolver, &question, &message)).await;
                let whole = whole.map_err(|_| "no answer in time".to_owned())?;
                return read(&whole.map_err(|error| error.to_string())?, kind);
            }
            Ok(Ok(answer)) => return read(&answer, kind),
            Ok(Err(error)) => last = error.to_string(),
            Err(_) => "no answer in time".clone_into(&mut last),
        }
    }
    Err(last)
}

async fn by_udp(resolver: SocketAddr, question: &[u8], asked: &Message) -> std::io::Result<Message> {
    let any: SocketAddr = if resolver.is_ipv4() {
        ([0, 0, 0, 0], 0).into()
    } else {
        ([0_u16; 8], 0).into()
    };
    let socket = UdpSocket::bind(any).await?;
    // Only what comes from there is heard.
    socket.connect(resolver).await?;
    socket.send(question).await?;
    let mut buffer = vec![0; DATAGRAM];
    loop {
        let read = socket.recv(&mut buffer).await?;
        let answer = buffer.get(..read).and_then(|bytes| Message::from_vec(bytes).ok());
        // What answers another question is not for us.
        if let Some(answer) = answer.filter(|answer| belongs(answer, asked)) {
            return Ok(answer);
        }
    }
}

async fn by_tcp(resolver: SocketAddr, question: &[u8], asked: &Message) -> std::io::Result<Message> {
    let odd = || std::io::Error::other("an answer that cannot be read");
    let mut stream = TcpStream::connect(resolver).await?;
    let length = u16::try_from(question.len()).map_err(|_| odd())?;
    stream.write_all(&length.to_be_bytes()).await?;
    stream.write_all(question).await?;
    let length = usize::from(stream.read_u16().await?);
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).await?;
    let answer = Message::from_vec(&bytes).map_err(|_| odd())?;
    if belongs(&answer, asked) {
        Ok(answer)
    } else {
        Err(odd())
    }
}

fn belongs(answer: &Message, asked: &Message) -> bool {
    let same = |one: &Query, two: &Query| one.query_type() == two.query_type() && one.name().eq_ignore_root(two.name());
    answer.metadata.id == asked.metadata.id
        && answer.metadata.message_type == MessageType::Response
        && answer
            .queries
            .first()
            .zip(asked.queries.first())
            .is_some_and(|(one, two)| same(one, two))
}

const fn record_type(kind: Wanted) -> RecordType {
    match kind {
        Wanted::A => RecordType::A,
        Wanted::Aaaa => RecordType::AAAA,
        Wanted::Cname => RecordType::CNAME,
        Wanted::Txt => RecordType::TXT,
    }
}

fn read(answer: &Message, kind: Wanted) -> Result<Said, String> {
    match answer.metadata.response_code {
        ResponseCode::NoError => {}
        ResponseCode::NXDomain => return Ok(Said::default()),
        other => return Err(other.to_string()),
    }
    let mut said = Said::default();
    for record in &answer.answers {
        said.ttl = said.ttl.max(record.ttl);
        let value = match (&record.data, kind) {
            (RData::A(address), Wanted::A) => address.to_string(),
            (RData::AAAA(address), Wanted::Aaaa) => address.to_string(),
            (RData::CNAME(name), Wanted::Cname) => name.0.to_utf8(),
            (RData::TXT(text), Wanted::Txt) => {
                let bytes: Vec<u8> = text.txt_data.iter().flat_map(|part| part.iter().copied()).collect();
                String::from_utf8_lossy(&bytes).into_owned()
            }
            _ => continue,
        };
        said.values.insert(normal(kind, &value));
    }
    Ok(said)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hickory_proto::op::OpCode;
    use hickory_proto::rr::Record;
    use hickory_proto::rr::rdata::{A, CNAME};
    use serde_json::json;

    fn step(more: &Value) -> Dns {
        let mut step = json!({ "record": "app.example.org", "type": "A", "resolvers": ["1.1.1.1:53", "8.8.8.8:53"] });
        for (name, value) in more.as_object().unwrap() {
            step[name] = value.clone();
        }
        serde_json::from_value(step).unwrap()
    }

    fn says(values: &[&str], ttl: u32) -> Result<Said, String> {
        Ok(Said {
            values: values.iter().map(|value| (*value).to_owned()).collect(),
            ttl,
        })
    }

    fn judged(step: &Dns, one: Result<Said, String>, two: Result<Said, String>) -> Result<Said, String> {
        judge(step, &[("one".to_owned(), one), ("two".to_owned(), two)])
    }

    #[test]
    fn every_resolver_has_to_agree() {
        let wanted = step(&json!({ "values": ["192.0.2.2", "192.0.2.1"], "ttl_at_most": 60 }));
        let good = || says(&["192.0.2.1", "192.0.2.2"], 60);
        assert_eq!(judged(&wanted, good(), good()), good());
        for (other, words) in [
            (says(&["192.0.2.1"], 60), "two says 192.0.2.1"),
            (says(&[], 0), "two knows no such record"),
            (says(&["192.0.2.1", "192.0.2.2"], 61), "two keeps it for longer"),
            (
                Err("no answer in time".to_owned()),
                "two does not tell: no answer in time",
            ),
        ] {
            assert_eq!(judged(&wanted, good(), other), Err(words.to_owned()));
        }
        // A lifetime of what is not there proves nothing.
        let lived = step(&json!({ "ttl_at_most": 60 }));
        assert!(judged(&lived, says(&[], 0), good()).is_err());
        assert!(judged(&lived, says(&["192.0.2.9"], 5), good()).is_ok());
    }

    #[test]
    fn values_behind_other_names_are_found_with_the_longest_lifetime() {
        let name = |text: &str| Name::from_utf8(text).unwrap();
        let mut answer = Message::response(1, OpCode::Query);
        let target = RData::CNAME(CNAME(name("D-Green.example.net.")));
        answer.add_answer(Record::from_rdata(name("app.example.org."), 300, target));
        answer.add_answer(Record::from_rdata(
            name("d-green.example.net."),
            60,
            RData::A(A::new(192, 0, 2, 1)),
        ));
        assert_eq!(read(&answer, Wanted::A), says(&["192.0.2.1"], 300));
        assert_eq!(read(&answer, Wanted::Cname), says(&["d-green.example.net"], 300));
        assert_eq!(normal(Wanted::Cname, "D-Green.example.net."), "d-green.example.net");
    }
}
