//! What comes by HTTP: archives, files, keytabs, and short answers.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::thread;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use flate2::read::GzDecoder;
use sha2::{Digest as _, Sha256, Sha512};

use super::files;
use super::wait::{BETWEEN, SAID};
use super::{Failure, reason, say};
use crate::launch::settings::without_port;
use crate::launch::{Digest, Download, Kerberos};

/// Where an unpacked archive says what it is.
const MARK: &str = ".flokkr-download";

/// How often a download is begun.
const TRIES: u32 = 5;

/// Fetches a file, or an archive that it unpacks. What is there from the same address is left alone.
/// Files in `keep` below the target are put over those of the archive.
pub(super) fn download(download: &Download, keep: Option<&Utf8Path>) -> Result<(), Failure> {
    let Download {
        url,
        digest,
        to,
        unpack,
    } = download;
    let done = if *unpack {
        fs::read_to_string(to.join(MARK)).is_ok_and(|there| there == *url)
    } else {
        let there = fs::read(to).ok();
        let proven = digest.as_ref().zip(there);
        proven.is_some_and(|(digest, there)| proves(digest, &there))
    };
    if done {
        return Ok(());
    }
    let mut pause = Duration::from_secs(1);
    for left in (0..TRIES).rev() {
        match try_download(url, digest.as_ref(), to, *unpack, keep) {
            Ok(()) => return Ok(()),
            Err(Trouble { reason, for_good }) if for_good || left == 0 => {
                return Err(Failure::new(format!("can't fetch {url}: {reason}")));
            }
            Err(Trouble { reason, .. }) => {
                say(&format!(
                    "can't fetch {url}: {reason}; again in {} s",
                    pause.as_secs()
                ));
            }
        }
        thread::sleep(pause);
        pause *= 2;
    }
    Ok(())
}

/// Why nothing was fetched.
struct Trouble {
    reason: String,
    /// Another try can't help.
    for_good: bool,
}

impl Trouble {
    fn for_good(reason: String) -> Self {
        Self {
            reason,
            for_good: true,
        }
    }
}

impl From<String> for Trouble {
    fn from(reason: String) -> Self {
        Self {
            reason,
            for_good: false,
        }
    }
}

fn try_download(
    url: &str,
    digest: Option<&Digest>,
    to: &Utf8Path,
    unpack: bool,
    keep: Option<&Utf8Path>,
) -> Result<(), Trouble> {
    let words = |e: io::Error| reason(&e);
    if !unpack && to.is_dir() {
        return Err(Trouble::for_good(format!("{to} is a directory")));
    }
    let directory = to.parent().unwrap_or(Utf8Path::new("/"));
    fs::create_dir_all(directory).map_err(words)?;
    let mut file = tempfile::NamedTempFile::new_in(directory).map_err(words)?;
    let agent = agent(Duration::from_secs(600), true);
    let mut response = agent.get(url).call().map_err(|e| e.to_string())?;
    let mut body = response.body_mut().as_reader();
    let (mut sha256, mut sha512) = (Sha256::new(), Sha512::new());
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = body.read(&mut buffer).map_err(words)?;
        let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else {
            break;
        };
        file.write_all(bytes).map_err(words)?;
        match digest {
            Some(Digest::Sha256(_)) => sha256.update(bytes),
            Some(Digest::Sha512(_)) => sha512.update(bytes),
            None => {}
        }
    }
    let (expected, found) = match digest {
        Some(Digest::Sha256(expected)) => (expected.as_str(), hexadecimal(&sha256.finalize())),
        Some(Digest::Sha512(expected)) => (expected.as_str(), hexadecimal(&sha512.finalize())),
        None => ("", String::new()),
    };
    if expected != found {
        let reason = format!("its digest is {found}, not {expected}");
        return Err(Trouble::for_good(reason));
    }
    if unpack {
        let file = file.reopen().map_err(words)?;
        let packed = url.split('?').next().unwrap_or(url).ends_with("gz");
        let content: Box<dyn io::Read> = if packed {
            Box::new(GzDecoder::new(io::BufReader::new(file)))
        } else {
            Box::new(io::BufReader::new(file))
        };
        return Ok(unpack_to(content, url, to, keep).map_err(words)?);
    }
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    file.as_file().set_permissions(mode).map_err(words)?;
    file.persist(to).map_err(|e| reason(&e.error))?;
    Ok(())
}

/// Unpacks beside the target, and puts the archive's one directory there.
fn unpack_to(
    content: impl io::Read,
    url: &str,
    to: &Utf8Path,
    keep: Option<&Utf8Path>,
) -> io::Result<()> {
    let parent = to.parent().unwrap_or(Utf8Path::new("/"));
    let beside = tempfile::Builder::new()
        .prefix(".flokkr-")
        .tempdir_in(parent)?;
    // It refuses names that lead out of the directory.
    tar::Archive::new(content).unpack(beside.path())?;
    let mut inside = Vec::new();
    for entry in fs::read_dir(beside.path())? {
        inside.push(entry?.path());
    }
    let root = match inside.as_slice() {
        [one] if one.is_dir() => one.clone(),
        _ => beside.path().to_owned(),
    };
    let root = Utf8PathBuf::from_path_buf(root)
        .map_err(|_| io::Error::other("the archive's directory has a name that is not UTF-8"))?;
    let below = keep.and_then(|keep| Some((keep, keep.strip_prefix(to).ok()?)));
    if let Some((keep, below)) = below.filter(|(keep, _)| keep.is_dir()) {
        files::copy_files(keep, &root.join(below))?;
    }
    fs::write(root.join(MARK), url)?;
    if to.exists() {
        fs::remove_dir_all(to)?;
    }
    fs::rename(&root, to)
}

fn proves(digest: &Digest, bytes: &[u8]) -> bool {
    match digest {
        Digest::Sha256(expected) => *expected == hexadecimal(&Sha256::digest(bytes)),
        Digest::Sha512(expected) => *expected == hexadecimal(&Sha512::digest(bytes)),
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Whoever asks by HTTP: what is in the same cluster is never behind a proxy.
fn agent(limit: Duration, outside: bool) -> ureq::Agent {
    let proxy = if outside {
        ureq::Proxy::try_from_env()
    } else {
        None
    };
    let config = ureq::Agent::config_builder()
        .timeout_global(Some(limit))
        .proxy(proxy)
        .build();
    config.into()
}

/// Whether an address answers a GET with success.
pub(super) fn answers(url: &str, limit: Duration) -> Result<(), String> {
    let answer = agent(limit, false).get(url).call();
    answer.map(|_| ()).map_err(|e| e.to_string())
}

/// What an address in the cluster answers.
pub(super) fn text(url: &str, limit: Duration) -> Result<String, String> {
    let mut answer = agent(limit, false)
        .get(url)
        .call()
        .map_err(|e| e.to_string())?;
    answer
        .body_mut()
        .read_to_string()
        .map_err(|e| e.to_string())
}

/// Names server and realm in `krb5.conf`. One that can't be written is somebody's, and stays if it is of the realm.
pub(super) fn kerberos_settings(kerberos: &Kerberos) -> Result<(), Failure> {
    let Kerberos {
        server,
        realm,
        settings,
        ..
    } = kerberos;
    let Err(failure) = files::put(settings, &krb5(server, realm)) else {
        return Ok(());
    };
    let there = files::read(settings).ok().flatten();
    let is_default = |line: &str| {
        let value = line.trim().strip_prefix("default_realm");
        let value = value.and_then(|rest| rest.trim_start().strip_prefix('='));
        value.is_some_and(|value| value.trim() == realm)
    };
    if there.is_some_and(|text| text.lines().any(is_default)) {
        say(&format!("{settings} stays as it is: it names {realm}"));
        return Ok(());
    }
    let help = "set KRB5_CONFIG to a file that the process may write, and name it to Java by \
        -Djava.security.krb5.conf; or put one there with this default_realm";
    Err(Failure::new(format!("{}: {help}", failure.message)))
}

/// Fetches keytabs and keystores.
pub(super) fn kerberos(kerberos: &Kerberos) -> Result<(), Failure> {
    let Kerberos {
        issuer,
        directory,
        keytabs,
        keystores,
        limit,
        ..
    } = kerberos;
    let host = full_host_name();
    let mut wanted: Vec<(String, String)> = keytabs
        .iter()
        .map(|name| (format!("keytab/{host}/{name}"), format!("{name}.keytab")))
        .collect();
    if !keystores.is_empty() {
        let names = keystores.iter().map(String::as_str).chain([host.as_str()]);
        wanted.extend(names.map(|name| (format!("keystore/{name}"), format!("{name}.keystore"))));
        wanted.push(("truststore".to_owned(), "truststore".to_owned()));
    }
    let began = Instant::now();
    let mut said: Option<Instant> = None;
    for (path, name) in wanted {
        let url = format!("http://{issuer}/{path}");
        let bytes = loop {
            match bytes(&url) {
                Ok(bytes) => break bytes,
                Err(reason) if began.elapsed() >= *limit => {
                    return Err(Failure::new(format!("can't fetch {url}: {reason}")));
                }
                Err(reason) if said.is_none_or(|last| last.elapsed() >= SAID) => {
                    said = Some(Instant::now());
                    say(&format!("waiting for {url} ({reason})"));
                }
                Err(_) => {}
            }
            thread::sleep(BETWEEN);
        };
        files::put_bytes(&directory.join(name), &bytes, 0o600)?;
    }
    Ok(())
}

fn bytes(url: &str) -> Result<Vec<u8>, String> {
    let mut answer = agent(Duration::from_secs(30), false)
        .get(url)
        .call()
        .map_err(|e| e.to_string())?;
    answer.body_mut().read_to_vec().map_err(|e| e.to_string())
}

fn krb5(server: &str, realm: &str) -> String {
    format!(
        "[libdefaults]\n  default_realm = {realm}\n  dns_lookup_realm = false\n  \
            dns_lookup_kdc = false\n  rdns = false\n\n[realms]\n  {realm} = {{\n    \
            kdc = {server}\n    admin_server = {}\n  }}\n",
        without_port(server)
    )
}

/// The name that `hostname -f` gives: the first that `/etc/hosts` has beside the host's own.
fn full_host_name() -> String {
    let own = host_name();
    let hosts = fs::read_to_string("/etc/hosts").unwrap_or_default();
    let full = hosts.lines().find_map(|line| {
        let line = line.split('#').next().unwrap_or_default();
        let mut names = line.split_whitespace().skip(1);
        let first = names.next()?;
        (first == own || names.any(|name| name == own)).then(|| first.to_owned())
    });
    full.unwrap_or(own)
}

/// The name of the host.
pub(super) fn host_name() -> String {
    let system = rustix::system::uname();
    system.nodename().to_string_lossy().into_owned()
}
