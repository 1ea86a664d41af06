//! Checks that run inside a container, where the platform itself tries no port: by bash alone, for
//! images have neither curl nor nc.

/// The words that try to connect to a port. `$` in `host` is for bash.
pub fn tcp(host: &str, port: u16) -> [String; 3] {
    bash(format!("exec 3<>\"/dev/tcp/{host}/{port}\""))
}

/// The words that do a GET: the status is what decides.
pub fn http(host: &str, port: u16, path: &str) -> [String; 3] {
    let path = path.replace('\'', "%27");
    bash(format!(
        "exec 3<>\"/dev/tcp/{host}/{port}\" \
         && printf 'GET %s HTTP/1.0\\r\\nHost: %s\\r\\n\\r\\n' '{path}' \"{host}\" >&3 \
         && read -r _ status _ <&3 && [[ $status == [23]?? ]]"
    ))
}

fn bash(script: String) -> [String; 3] {
    ["bash".to_owned(), "-c".to_owned(), script]
}

/// Milliseconds in Go's notation.
pub fn duration(millis: u64) -> String {
    match millis {
        m if m % 1000 != 0 => format!("{m}ms"),
        m if m % 60_000 != 0 || m == 0 => format!("{}s", m / 1000),
        m => format!("{}m", m / 60_000),
    }
}
