use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::clock::SystemClock;

fn call(url: &str, limits: Limits) -> Call {
    Call {
        destination: Destination::GitHub,
        name: "test".to_owned(),
        request: http::Request::get(url).body(Bytes::new()).unwrap(),
        limits,
    }
}

const SHORT: Limits = Limits {
    timeout: Duration::from_secs(5),
    lease: Lease::NONE,
};

/// A door to a server that reads one request and then answers with these bytes and closes.
async fn door_to(answer: &'static [u8]) -> (Door, String, impl Future<Output = ()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let allowed = Allowed::nobody().github(&url.parse().unwrap());
    let serve = async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut request = [0_u8; 4096];
        let _ = socket.read(&mut request).await.unwrap();
        socket.write_all(answer).await.unwrap();
    };
    (Door::new(allowed, Arc::new(SystemClock::new()), None), url, serve)
}

#[tokio::test]
async fn an_answer_comes_back_whole_and_redirects_are_not_followed() {
    let (door, url, serve) =
        door_to(b"HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 2\r\n\r\nno").await;
    let (answer, ()) = tokio::join!(door.send(call(&url, SHORT)), serve);
    let answer = answer.unwrap();
    assert_eq!(answer.status(), http::StatusCode::FOUND);
    assert_eq!(answer.body().as_ref(), b"no");
}

#[tokio::test]
async fn a_cut_answer_is_unknown_and_a_closed_port_is_not_sent() {
    let (door, url, serve) = door_to(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf").await;
    let (answer, ()) = tokio::join!(door.send(call(&url, SHORT)), serve);
    assert!(matches!(answer, Err(DoorError::Unknown(_))), "{answer:?}");
    // The listener is gone: nobody can have heard this one.
    let answer = door.send(call(&url, SHORT)).await;
    assert!(matches!(answer, Err(DoorError::NotSent(_))), "{answer:?}");
}

#[tokio::test]
async fn a_connection_closed_without_an_answer_is_unknown() {
    let (door, url, serve) = door_to(b"").await;
    let (answer, ()) = tokio::join!(door.send(call(&url, SHORT)), serve);
    assert!(matches!(answer, Err(DoorError::Unknown(_))), "{answer:?}");
}

#[tokio::test]
async fn who_never_answers_is_given_up_and_nobody_knows_what_was_done() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let door = Door::new(
        Allowed::nobody().github(&url.parse().unwrap()),
        Arc::new(SystemClock::new()),
        None,
    );
    let brief = Limits {
        timeout: Duration::from_millis(50),
        ..SHORT
    };
    // The connection stands, and its other end stays open and silent.
    let (answer, held) = tokio::join!(door.send(call(&url, brief)), listener.accept());
    assert_eq!(
        answer.unwrap_err(),
        DoorError::Unknown("operation timed out".to_owned())
    );
    drop(held);
}

#[tokio::test]
async fn nothing_is_sent_under_a_lease_that_may_run_out() {
    let (door, url, _serve) = door_to(b"").await;
    let lease = Lease::until(door.clock.monotonic() + Duration::from_secs(4));
    let answer = door.send(call(&url, Limits { lease, ..SHORT })).await;
    assert!(
        matches!(&answer, Err(DoorError::NotSent(why)) if why.contains("lease")),
        "{answer:?}"
    );
}

#[tokio::test]
async fn a_host_off_the_list_is_not_spoken_to() {
    let (door, _, _serve) = door_to(b"").await;
    let answer = door.send(call("http://127.0.0.1:1/", SHORT)).await;
    assert!(matches!(&answer, Err(DoorError::NotPermitted)), "{answer:?}");
}

#[test]
fn a_call_shows_nothing_but_its_name() {
    let call = call("https://api.github.com/?token=secret", SHORT);
    assert_eq!(format!("{call:?}"), "Call(github test)");
}
