//! Settings: the sample is true, the later wins, mistakes are named.

use lienthong_request::Exit;
use tempfile::TempDir;

use super::*;

struct Place(TempDir);

impl Place {
    fn new() -> Place {
        Place(TempDir::new().expect("the test machine has a temporary folder"))
    }

    fn with(self, file: &str, text: &str) -> Place {
        let file = self.0.path().join(file);
        fs::create_dir_all(file.parent().expect("in the folder")).expect("own folder");
        fs::write(file, text).expect("own folder");
        self
    }

    fn load(&self, variables: &[(&str, &str)]) -> Result<Settings, Failure> {
        let variables = variables.iter().map(|(name, text)| ((*name).into(), (*text).into()));
        Settings::load(self.0.path(), variables, &Flags::default())
    }
}

#[test]
fn the_sample_has_every_key_with_its_default() -> Result<(), Failure> {
    let sample = include_str!("../../../config/lienthong.toml");
    let defaults = Place::new().load(&[])?;
    let read = Place::new().with("lienthong.toml", sample).load(&[])?;
    assert_eq!(read.values(), defaults.values());
    let left_out: Vec<_> =
        read.origins().into_iter().filter(|(_, origin)| origin == "default").collect();
    assert!(left_out.is_empty(), "not in the sample: {left_out:?}");
    Ok(())
}

#[test]
fn the_later_source_wins_and_is_named() -> Result<(), Failure> {
    let place = Place::new()
        .with("lienthong.toml", "listen = '127.0.0.1:1'\n[link]\nkeep_alive_ms = 2000\n")
        .with("config.d/20.toml", "[link]\nkeep_alive_ms = 4000\n")
        .with("config.d/10.toml", "[link]\nkeep_alive_ms = 3000\n[log]\nlevel = 'debug'\n")
        .with("config.d/old.bak", "nonsense");
    let variables = [
        ("LIENTHONG_LINK_IDLE_TIMEOUT_MS", "50000"),
        ("LIENTHONG_ADVERTISE", "a.example:1"),
        ("LIENTHONG_DATA", "/x"),
        ("PATH", "/bin"),
    ];
    let variables = variables.map(|(name, text)| (name.to_owned(), text.to_owned()));
    let flags = Flags { listen: None, advertise: Some("b.example:7400".into()), http: None };
    let settings = Settings::load(place.0.path(), variables, &flags)?;
    assert_eq!(settings.keep_alive, Duration::from_secs(4));
    assert_eq!(settings.idle_timeout, Duration::from_secs(50));
    assert_eq!(settings.advertise.as_deref(), Some("b.example:7400"));
    assert_eq!((settings.listen.port(), settings.log_level.as_str()), (1, "debug"));
    let origins = settings.origins();
    assert!(origins["link.keep_alive_ms"].ends_with("config.d/20.toml"));
    assert_eq!(origins["link.idle_timeout_ms"], "variable LIENTHONG_LINK_IDLE_TIMEOUT_MS");
    assert_eq!(origins["advertise"], "flag --advertise");
    assert_eq!(origins["join.approval"], "default");
    Ok(())
}

#[track_caller]
fn refused(text: &str, words: &[&str]) {
    let failure = Place::new().with("lienthong.toml", text).load(&[]).expect_err(text);
    assert_eq!(failure.exit, Exit::Usage);
    let line = failure.to_string();
    for word in words {
        assert!(line.contains(word), "'{word}' is not in: {line}");
    }
}

#[test]
fn unknown_keys_name_key_file_and_what_is_known() {
    refused("lisen = 'x'", &["'lisen'", "lienthong.toml", "listen, advertise"]);
    refused("[link]\nidle = 1", &["'link.idle'", "link.idle_timeout_ms"]);
    refused("[links]", &["'links'"]);
    refused("link = 3", &["'link'"]);
    let failure = Place::new().load(&[("LIENTHONG_LISTN", "x")]).expect_err("unknown");
    assert!(failure.why.contains("LIENTHONG_LISTN"), "{failure}");
}

#[test]
fn values_out_of_range_name_value_and_limit() {
    refused("[store]\nreserve_bytes = 5", &["reserve_bytes is 5", "1048576"]);
    refused("[store]\nsegment_bytes = '64M'", &["64M", "1048576 to 1073741824"]);
    refused("[store]\nsegment_bytes = 1.5", &["1.5"]);
    refused("[link]\nidle_timeout_ms = 29999", &["29999", "30000", "3 times link.keep_alive_ms"]);
    refused("[link]\nbackoff_min_ms = 300001", &["300000", "300001", "link.backoff_min_ms"]);
    refused("[log]\nlevel = 'loud'", &["loud", "one of info, error"]);
    refused("listen = 'localhost'", &["localhost", "0.0.0.0:7400"]);
    refused("advertise = '::1:7400'", &["::1:7400", "host:port"]);
    refused("listen = [", &["lienthong.toml", "correct the file"]);
}

#[test]
fn a_variable_that_is_no_number_is_refused() {
    let failure = Place::new().load(&[("LIENTHONG_LINK_KEEP_ALIVE_MS", "10s")]);
    let line = failure.expect_err("no number").to_string();
    assert!(line.contains("10s") && line.contains("1000"), "{line}");
}

#[test]
fn every_wrong_setting_is_named_at_once() {
    let place = Place::new()
        .with("lienthong.toml", "lisen = 'x'\n[log]\nlevel = 'loud'\n[link]\nkeep_alive_ms = 1\n")
        .with("config.d/10.toml", "listen = [")
        .with("config.d/20.toml", "[link]\nbackoff_max_ms = 10\nidle_timeout_ms = 29000\n");
    let failure = place.load(&[("LIENTHONG_JOIN_APPROVAL", "maybe")]).expect_err("six faults");
    for word in
        ["'lisen'", "loud", "keep_alive_ms is 1,", "10.toml", "maybe", "backoff_max_ms is 10"]
    {
        assert!(failure.why.contains(word), "'{word}' is not in: {failure}");
    }
    assert!(!failure.why.contains("29000"), "its other side is wrong, not this: {failure}");
    assert_eq!(failure.remedy.matches("remove it, or spell it").count(), 1, "{failure}");
}

#[test]
fn names_of_the_pages_are_host_names_or_addresses() -> Result<(), Failure> {
    let named = |names: &str| {
        let text = format!("http_names = '{names}'\n");
        Place::new().with("lienthong.toml", &text).load(&[])
    };
    assert_eq!(named(" Mot-Cua.lan  fd00::1 ")?.http_names, ["mot-cua.lan", "fd00::1"]);
    for wrong in ["một-cửa.lan", "a.lan:8443", "https://a.lan", "-a.lan", &"a ".repeat(17)] {
        let refused = named(wrong).expect_err("no name");
        assert!(refused.why.contains("http_names"), "{refused}");
    }
    Ok(())
}
