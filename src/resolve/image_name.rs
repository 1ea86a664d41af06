//! References of images, by the grammar of the registries: `[HOST[:PORT]/]PATH[:TAG][@DIGEST]`.

/// What all of it looks like.
const WHOLE: &str = "a repository with a tag or digest, such as apache/hadoop:3.4.3";

/// Registries take no longer name, host and path together.
const MAX_NAME: usize = 255;

/// Digests, and how many hexadecimal digits each has.
const DIGESTS: [(&str, usize); 3] = [("sha256", 64), ("sha384", 96), ("sha512", 128)];

/// What is expected where a text is no reference of an image: completes "expected ...".
pub fn image_fault(text: &str) -> Option<String> {
    if text.is_empty() || text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Some(WHOLE.to_owned());
    }
    let (named, digest) = match text.split_once('@') {
        Some((named, digest)) => (named, Some(digest)),
        None => (text, None),
    };
    let (host, rest) = match named.split_once('/') {
        Some((first, rest)) if is_host(first) => (Some(first), rest),
        _ => (None, named),
    };
    let (folders, last) = rest.rsplit_once('/').unwrap_or(("", rest));
    let (last, tag) = match last.split_once(':') {
        Some((last, tag)) => (last, Some(tag)),
        None => (last, None),
    };
    let folders = folders.split('/').filter(|_| rest.contains('/'));
    let name = named.len() - tag.map_or(0, |tag| tag.len() + ":".len());
    host.and_then(host_fault)
        .or_else(|| folders.chain([last]).find_map(part_fault))
        .or_else(|| {
            (name > MAX_NAME).then(|| format!("at most {MAX_NAME} characters before the tag"))
        })
        .or_else(|| is_id(named).then(|| "a name that is not 64 hexadecimal digits".to_owned()))
        .or_else(|| tag.and_then(tag_fault))
        .or_else(|| digest.and_then(digest_fault))
}

/// What stands before the first `/` is a host where it can't be a part of a path.
fn is_host(first: &str) -> bool {
    first.contains(['.', ':']) || first == "localhost" || first.contains(|c: char| c.is_uppercase())
}

fn host_fault(host: &str) -> Option<String> {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
        _ => (host, None),
    };
    let address = name.strip_prefix('[').and_then(|n| n.strip_suffix(']'));
    let good = match address {
        Some(address) => {
            !address.is_empty() && address.bytes().all(|b| b.is_ascii_hexdigit() || b == b':')
        }
        None => name.split('.').all(|label| {
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
            !label.is_empty()
                && label.chars().all(plain)
                && !label.starts_with('-')
                && !label.ends_with('-')
        }),
    };
    let number = |port: &str| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    (!good || !port.is_none_or(number))
        .then(|| format!("a host such as example.org:5000 before the first `/`, not `{host}`"))
}

fn part_fault(part: &str) -> Option<String> {
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    // What stands between two words: a dot, one or two underscores, or dashes.
    let is_between = |between: &str| {
        matches!(between, "" | "." | "_" | "__") || between.chars().all(|c| c == '-')
    };
    let good =
        part.starts_with(is_word) && part.ends_with(is_word) && part.split(is_word).all(is_between);
    (!good).then(|| match part {
        "" => "a name before each `/` and `:`".to_owned(),
        part => format!(
            "small letters and digits, with `.`, `_`, `__` or dashes between them, not `{part}`"
        ),
    })
}

fn is_id(name: &str) -> bool {
    let is_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    name.len() == 64 && name.bytes().all(is_hex)
}

fn tag_fault(tag: &str) -> Option<String> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let good = tag.starts_with(is_word)
        && tag.len() <= 128
        && tag.chars().all(|c| is_word(c) || c == '.' || c == '-');
    (!good).then(|| match tag {
        "" => "a tag behind the `:`".to_owned(),
        tag => format!("a tag of at most 128 letters, digits, `_`, `.` and `-`, not `{tag}`"),
    })
}

fn digest_fault(digest: &str) -> Option<String> {
    let is_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    let good = digest.split_once(':').is_some_and(|(algorithm, digits)| {
        DIGESTS.contains(&(algorithm, digits.len())) && digits.bytes().all(is_hex)
    });
    (!good).then(|| format!("a digest such as sha256: and 64 hexadecimal digits, not `{digest}`"))
}
