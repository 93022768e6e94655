//! The certificate under which the pages of a node are served on a network.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use data_encoding::HEXUPPER;
use lienthong_folder::{check_private, read_limited, replace_with};
use lienthong_protocol::Moment;
use lienthong_request::Failure;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, date_time_ymd};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, crypto, version};
use sha2::{Digest, Sha256};
pub use tokio_rustls::TlsAcceptor;
use zeroize::Zeroizing;

/// A certificate of the pages and its private key.
///
/// The two files `pages.crt` and `pages.key` of the data folder hold them. An operator whose
/// office has an authority of its own puts that authority's files there. Otherwise the node makes
/// a certificate that it signs itself: browsers ask once whether to trust it, and who sits there
/// compares the fingerprint with the one that the program prints.
pub struct Certificate {
    /// In PEM, the pages' own certificate first.
    chain: Vec<u8>,
    /// In PEM.
    key: Zeroizing<Vec<u8>>,
    is_ours: bool,
}

/// What stands beside a pair that was made here, so that no other is ever written over.
#[derive(Default)]
struct Mark {
    /// The names that it is for.
    names: String,
    /// The digest of its chain; empty while it is being made.
    chain: String,
}

impl Mark {
    fn read(folder: &Path) -> Result<Option<Mark>, Failure> {
        let file = folder.join(MARK);
        let bytes = match read_limited(&file, MAX_BYTES) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            read => read.map_err(|error| unread(&file, &error))?,
        };
        let text = String::from_utf8_lossy(&bytes);
        let (names, chain) = text.trim_end().split_once('\n').unwrap_or_default();
        Ok(Some(Mark { names: names.to_owned(), chain: chain.to_owned() }))
    }

    fn text(&self) -> String {
        format!("{}\n{}\n", self.names, self.chain)
    }
}

impl Certificate {
    /// Reads the certificate of a data folder. One that was made here and is for other names, or
    /// none at all, is made now, valid for twenty years from the year before `now`.
    ///
    /// # Errors
    /// Files that cannot be read or written, one of the two missing, a key that others may read
    /// (`folder-open-to-others`), names that no certificate can have (`http-name-not-usable`).
    pub fn of(folder: &Path, names: &[String], now: Moment) -> Result<Certificate, Failure> {
        let (chain, key) = (folder.join(CHAIN), folder.join(KEY));
        let is_ours = match Mark::read(folder)? {
            None if !chain.exists() && !key.exists() => return make(folder, names, now),
            None => false,
            Some(mark) if mark.chain.is_empty() => return make(folder, names, now),
            Some(mark) => {
                let held = read_limited(&chain, MAX_BYTES);
                let is_ours = held.is_ok_and(|held| mark.chain == digest(&held));
                if is_ours && mark.names != names.join(" ") {
                    return make(folder, names, now);
                }
                is_ours
            }
        };
        check_private(&key, 0o600)?;
        let read = |file| read_limited(file, MAX_BYTES).map_err(|error| unread(file, &error));
        Ok(Certificate { chain: read(&chain)?, key: Zeroizing::new(read(&key)?), is_ours })
    }

    /// Secures connections that carry HTTP/1.1, with TLS 1.3 alone.
    ///
    /// # Errors
    /// Files that are no certificate chain and its key in PEM (`http-certificate-not-usable`).
    pub fn acceptor(&self) -> Result<TlsAcceptor, Failure> {
        let chain: Result<Vec<CertificateDer<'static>>, _> =
            CertificateDer::pem_slice_iter(&self.chain).collect();
        let chain = chain.map_err(|error| not_usable(&error.to_string()))?;
        let key = PrivateKeyDer::from_pem_slice(&self.key);
        let key = key.map_err(|error| not_usable(&error.to_string()))?;
        let provider = Arc::new(crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&version::TLS13])
            .and_then(|config| config.with_no_client_auth().with_single_cert(chain, key));
        let mut config = config.map_err(|error| not_usable(&error.to_string()))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    /// The SHA-256 of a certificate that the node made, as browsers show it; none of an
    /// operator's, which browsers trust by themselves.
    pub fn fingerprint(&self) -> Option<String> {
        let der = CertificateDer::from_pem_slice(&self.chain).ok().filter(|_| self.is_ours)?;
        let hex = digest(&der);
        let pairs: Vec<&str> = (0..hex.len()).step_by(2).map(|at| &hex[at..at + 2]).collect();
        Some(pairs.join(":"))
    }
}

fn make(folder: &Path, names: &[String], now: Moment) -> Result<Certificate, Failure> {
    let unusable = |error: rcgen::Error| {
        Failure::refused(
            "http-name-not-usable",
            "chưa mở trang / the pages are not served",
            format!("không làm được chứng thư / no certificate can be made: {error}"),
            "http_names chỉ gồm tên máy hoặc địa chỉ IP, cách nhau bằng dấu cách / \
             write host names or IP addresses in http_names, with blanks between",
        )
    };
    let mut wanted = CertificateParams::new(names).map_err(unusable)?;
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, names.first().map_or("lienthong", String::as_str));
    wanted.distinguished_name = subject;
    let year = 1970 + i32::try_from(now.0 / YEAR.as_millis() as u64).unwrap_or(0);
    wanted.not_before = date_time_ymd(year - 1, 1, 1);
    wanted.not_after = date_time_ymd(year + YEARS, 1, 1);
    let pair = KeyPair::generate().map_err(unusable)?;
    let signed = wanted.self_signed(&pair).map_err(unusable)?;
    let (chain, key) = (signed.pem().into_bytes(), pair.serialize_pem().into_bytes());
    let made = Certificate { chain, key: Zeroizing::new(key), is_ours: true };
    let mark = Mark { names: names.join(" "), chain: digest(&made.chain) };
    // After a power cut in the middle the empty mark tells that the pair is to be made again.
    let files = [
        (MARK, Mark::default().text().into_bytes()),
        (KEY, made.key.to_vec()),
        (CHAIN, made.chain.clone()),
        (MARK, mark.text().into_bytes()),
    ];
    for (name, bytes) in files.map(|(name, bytes)| (name, Zeroizing::new(bytes))) {
        let file = folder.join(name);
        replace_with(&file, |_| Ok(bytes.to_vec()))
            .map_err(|error| Failure::disk(NOT_MADE, &file, &error))?;
    }
    Ok(made)
}

fn digest(bytes: &[u8]) -> String {
    HEXUPPER.encode(&Sha256::digest(bytes))
}

fn not_usable(why: &str) -> Failure {
    Failure::refused(
        "http-certificate-not-usable",
        "chưa mở trang / the pages are not served",
        format!("{CHAIN}, {KEY}: {why}"),
        "đặt lại chứng thư và khoá dạng PEM, hoặc xoá cả hai để nút tự làm / \
         put a certificate chain and its key there in PEM, or delete both and the node makes them",
    )
}

fn unread(file: &Path, error: &std::io::Error) -> Failure {
    Failure::disk("chưa đọc chứng thư của trang / certificate of the pages not read", file, error)
}

const NOT_MADE: &str = "chưa làm chứng thư của trang / certificate of the pages not made";
const CHAIN: &str = "pages.crt";
const KEY: &str = "pages.key";
/// Beside them if the node made them.
const MARK: &str = "pages.made";
const MAX_BYTES: u64 = 1 << 20;
const YEAR: Duration = Duration::from_secs(31_556_952);
const YEARS: i32 = 19;

#[cfg(test)]
mod tests;
