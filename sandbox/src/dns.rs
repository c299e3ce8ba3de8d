//! Resolvers: name servers over UDP and TCP that answer from the account's public zones. Each keeps answers as long as it is told to, so that they
//! disagree as resolvers do.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::rdata::{A, AAAA, CNAME, TXT};
use hickory_proto::rr::{Name, RData, Record};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio_util::sync::CancellationToken;

use crate::aws::Said;
use crate::faults::FaultKind;
use crate::wire_log::{Direction, Entry};
use crate::world::World;

/// The largest answer by UDP to somebody who does not ask for more.
const DATAGRAM: usize = 512;
/// How often a port is looked for that is free for both.
const TRIES: u32 = 8;

/// What a resolver keeps.
#[derive(Debug, Default)]
pub(crate) struct Resolver {
    /// For how long it keeps an answer, in seconds; 0: it asks the zones each time.
    pub(crate) keeps: i64,
    kept: HashMap<(String, String), Kept>,
}

/// An answer, and since when it is kept, in seconds since the epoch.
type Kept = (Option<Vec<Said>>, i64);

/// Binds a resolver and serves until it is stopped; answers its address.
pub(crate) async fn start(world: &Arc<World>, at: SocketAddr, stop: &CancellationToken) -> anyhow::Result<SocketAddr> {
    let (tcp, udp) = bind(at).await?;
    let address = udp.local_addr()?;
    let number = {
        let mut resolvers = world.resolvers();
        resolvers.push(Resolver::default());
        resolvers.len() - 1
    };
    let (by_udp, by_tcp) = (Arc::clone(world), Arc::clone(world));
    let (until_udp, until_tcp) = (stop.clone(), stop.clone());
    #[expect(
        clippy::disallowed_methods,
        reason = "the sandbox's own server tasks; they end with the token"
    )]
    {
        tokio::spawn(async move {
            tokio::select! { () = serve_udp(by_udp, number, udp) => {}, () = until_udp.cancelled() => {} }
        });
        tokio::spawn(async move {
            tokio::select! { () = serve_tcp(by_tcp, number, tcp) => {}, () = until_tcp.cancelled() => {} }
        });
    }
    Ok(address)
}

/// The same port for both.
async fn bind(at: SocketAddr) -> anyhow::Result<(TcpListener, UdpSocket)> {
    let mut tries = 0;
    loop {
        let tcp = TcpListener::bind(at).await?;
        match UdpSocket::bind(tcp.local_addr()?).await {
            Ok(udp) => return Ok((tcp, udp)),
            Err(error) if tries == TRIES || at.port() != 0 => return Err(error.into()),
            Err(_) => tries += 1,
        }
    }
}

async fn serve_udp(world: Arc<World>, number: usize, socket: UdpSocket) {
    let socket = Arc::new(socket);
    let mut buffer = vec![0; 4096];
    while let Ok((read, from)) = socket.recv_from(&mut buffer).await {
        let Some(asked) = buffer.get(..read).and_then(|bytes| Message::from_vec(bytes).ok()) else {
            continue;
        };
        let Some(answer) = answer(&world, number, &asked).await else {
            continue;
        };
        let mut bytes = answer.to_vec().unwrap_or_default();
        if bytes.len() > DATAGRAM {
            bytes = answer.truncate().to_vec().unwrap_or_default();
        }
        // Whoever is gone does not hear it.
        let _ = socket.send_to(&bytes, from).await;
    }
}

async fn serve_tcp(world: Arc<World>, number: usize, listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        // Whoever hangs up does not hear it.
        let _ = one_by_tcp(&world, number, stream).await;
    }
}

async fn one_by_tcp(world: &World, number: usize, mut stream: TcpStream) -> std::io::Result<()> {
    let length = usize::from(stream.read_u16().await?);
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).await?;
    let Ok(asked) = Message::from_vec(&bytes) else {
        return Ok(());
    };
    if let Some(answer) = answer(world, number, &asked).await {
        let bytes = answer.to_vec().unwrap_or_default();
        stream.write_u16(u16::try_from(bytes.len()).unwrap_or(u16::MAX)).await?;
        stream.write_all(&bytes).await?;
    }
    Ok(())
}

/// The answer to a question; `None`: it gets lost.
async fn answer(world: &World, number: usize, asked: &Message) -> Option<Message> {
    let query = asked.queries.first()?.clone();
    let (name, kind) = (query.name().to_utf8().to_lowercase(), query.query_type().to_string());
    let call = format!("dns.{number}");
    let fault = world.faults.strike(&call);
    let mut answer = Message::response(asked.metadata.id, asked.metadata.op_code);
    answer.metadata.recursion_desired = asked.metadata.recursion_desired;
    answer.metadata.recursion_available = true;
    answer.add_query(query);
    let mut lost = false;
    match fault {
        Some(FaultKind::Slow { ms }) => crate::clock::machine_sleep(Duration::from_millis(ms)).await,
        Some(FaultKind::Drop | FaultKind::LoseAnswer) => lost = true,
        Some(FaultKind::Fail) => answer.metadata.response_code = ResponseCode::ServFail,
        Some(FaultKind::Throttle { .. } | FaultKind::Refuse { .. }) => {
            answer.metadata.response_code = ResponseCode::Refused
        }
        Some(FaultKind::HoldBefore | FaultKind::HoldAfter) => world.faults.hold(&call).await,
        None => {}
    }
    if answer.metadata.response_code == ResponseCode::NoError {
        match say(world, number, (&name, &kind)) {
            Some(said) => drop(answer.add_answers(said.iter().filter_map(record))),
            None => answer.metadata.response_code = ResponseCode::NXDomain,
        }
    }
    world.record(Entry {
        seq: 0,
        at_ms: world.clock.now_ms(),
        direction: Direction::Received,
        call,
        arguments: json!({ "name": name, "type": kind }),
        status: if lost {
            0
        } else {
            u16::from(answer.metadata.response_code.low())
        },
        done: answer.metadata.response_code == ResponseCode::NoError,
        note: answer.metadata.response_code.to_string(),
    });
    (!lost).then_some(answer)
}

/// What a resolver says: what it has kept, or else what the zones say now. What is kept runs down.
fn say(world: &World, number: usize, (name, kind): (&str, &str)) -> Option<Vec<Said>> {
    let now_s = world.clock.now_ms() / 1000;
    let key = (name.to_owned(), kind.to_owned());
    let fresh = || {
        let mut account = world.aws();
        account.advance(world.clock.now_ms());
        account.resolve(name, kind)
    };
    let mut resolvers = world.resolvers();
    let resolver = resolvers.get_mut(number)?;
    let (mut said, since) = match resolver.kept.get(&key) {
        Some((said, since)) if now_s < since + resolver.keeps => (said.clone(), *since),
        _ => (fresh(), now_s),
    };
    resolver.kept.insert(key, (said.clone(), since));
    for one in said.iter_mut().flatten() {
        one.ttl = (one.ttl - (now_s - since)).max(0);
    }
    said
}

fn record(said: &Said) -> Option<Record> {
    let data = match said.kind.as_str() {
        "A" => RData::A(A(said.value.parse().ok()?)),
        "AAAA" => RData::AAAA(AAAA(said.value.parse().ok()?)),
        "CNAME" => RData::CNAME(CNAME(Name::from_utf8(&said.value).ok()?)),
        // A value is one or several texts between quotes.
        "TXT" => {
            let texts = said.value.split('"').skip(1).step_by(2);
            RData::TXT(TXT::new(texts.map(str::to_owned).collect()))
        }
        _ => return None,
    };
    let ttl = u32::try_from(said.ttl).unwrap_or(0);
    Some(Record::from_rdata(Name::from_utf8(&said.name).ok()?, ttl, data))
}
