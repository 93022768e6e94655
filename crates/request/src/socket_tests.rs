//! Commands over the socket, and clients that misbehave.

use serde_json::json;
use tempfile::TempDir;
use tokio::sync::Barrier;
use tokio::task::JoinHandle;

use super::*;
use crate::failure::Exit;

struct World {
    _folder: TempDir,
    path: PathBuf,
    stop: CancellationToken,
    server: JoinHandle<()>,
}

impl World {
    async fn new() -> World {
        let folder = TempDir::new().expect("the test machine has a temporary folder");
        let path = folder.path().join("api.sock");
        let socket = ApiSocket::bind(&path).await.expect("a fresh path");
        let stop = CancellationToken::new();
        let together = Arc::new(Barrier::new(3));
        let handler = move |caller, request| obey(caller, request, Arc::clone(&together));
        let server = tokio::spawn(socket.serve(handler, stop.clone()));
        World { _folder: folder, path, stop, server }
    }

    async fn call(&self, command: &str) -> Result<Value, Failure> {
        call(&self.path, &request(command)).await
    }

    async fn raw(&self, bytes: &[u8]) -> Line {
        let (from, mut to) = UnixStream::connect(&self.path).await.expect("served").into_split();
        // A server that has had enough may close before all is written.
        let _ = to.write_all(bytes).await;
        let line = read_line(&mut BufReader::new(from), MAX_ANSWER_BYTES).await;
        let line = line.expect("an answer").expect("an answer");
        serde_json::from_slice(&line).expect("a line of an answer")
    }
}

async fn obey(caller: Caller, request: Request, together: Arc<Barrier>) -> Result<Value, Failure> {
    match request.command.as_str() {
        "who" => Ok(json!([caller.way(), caller.who()])),
        "echo" => Ok(request.arguments),
        "meet" => {
            together.wait().await;
            Ok(json!("met"))
        }
        "break" => panic!("a bug in a command"),
        other => Err(Failure::refused("no-such-command", "nothing done", other, "ask for help")),
    }
}

fn request(command: &str) -> Request {
    Request { command: command.into(), arguments: json!({"n": 1}) }
}

#[tokio::test]
async fn a_command_has_a_result_or_a_failure() {
    let world = World::new().await;
    assert_eq!(world.call("echo").await, Ok(json!({"n": 1})));
    assert_eq!(world.call("dance").await.expect_err("unknown").code, "no-such-command");
}

#[tokio::test]
async fn clients_are_served_at_the_same_time() {
    let world = World::new().await;
    let met = tokio::join!(world.call("meet"), world.call("meet"), world.call("meet"));
    assert_eq!(met, (Ok(json!("met")), Ok(json!("met")), Ok(json!("met"))));
}

#[tokio::test]
async fn bad_lines_get_a_failure_and_the_server_goes_on() {
    let world = World::new().await;
    let long = vec![b'['; MAX_REQUEST_BYTES + 2];
    let deep = [vec![b'['; 100_000], b"\n".to_vec()].concat();
    let lines: [&[u8]; 5] = [b"nonsense\n", b"\xff\n", b"{\"command\": 7}\n", &deep, &long];
    for line in lines {
        let Line::Failure(failure) = world.raw(line).await else { panic!("a failure") };
        assert_eq!((failure.code.as_str(), failure.exit), ("bad-request", Exit::Usage));
    }
    assert_eq!(world.call("break").await.expect_err("it broke").code, "node-lost");
    assert_eq!(world.call("echo").await, Ok(json!({"n": 1})));
}

#[tokio::test]
async fn a_socket_left_behind_is_replaced_and_one_in_use_is_not() {
    let world = World::new().await;
    let mode = fs::metadata(&world.path).expect("bound").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(ApiSocket::bind(&world.path).await.expect_err("in use").exit, Exit::Locked);
    let left = world.path.with_file_name("left.sock");
    drop(UnixListener::bind(&left).expect("a fresh path"));
    ApiSocket::bind(&left).await.expect("nobody answers there");
    assert!(!left.exists());
}

#[tokio::test]
async fn without_a_node_the_failure_says_how_to_start_it() {
    let world = World::new().await;
    let idle = UnixStream::connect(&world.path).await.expect("served");
    world.stop.cancel();
    world.server.await.expect("no panic");
    drop(idle);
    assert!(!world.path.exists());
    let failure = call(&world.path, &request("echo")).await.expect_err("stopped");
    assert_eq!(failure.exit, Exit::Unreachable);
    let folder = world.path.parent().expect("in a folder").display();
    assert!(failure.remedy.contains(&format!("lienthong serve --data {folder}")), "{failure}");
}

#[tokio::test]
async fn a_command_is_told_whose_it_is() {
    let world = World::new().await;
    let owner = fs::metadata(&world.path).expect("the socket is there");
    let user = std::os::unix::fs::MetadataExt::uid(&owner);
    let who = world.call("who").await.expect("an answer");
    assert_eq!(who, json!(["command", format!("uid-{user}")]));
}
