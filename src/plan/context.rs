//! What a value's template sees: variables, and functions about services, replicas and secrets.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::addressing::{Directory, Listing};
use super::value::Value as Text;
use crate::problem::{did_you_mean, one_of};
use crate::template::{Enumerator, Error, ErrorKind, Object, ObjectRepr, State, Value};

/// How the message begins when a replica is asked for a name that it lacks.
pub(super) const UNNAMED: &str = "replicas of `";

/// The message of a failure that follows from an error reported elsewhere.
pub(super) const BROKEN: &str = "\0broken";

/// Stands for `{{ omit }}`.
pub(super) const OMIT: &str = "\0omit\0";

/// Where a template is evaluated.
#[derive(Debug, Clone)]
pub(super) struct Context {
    pub(super) directory: Arc<Directory>,
    pub(super) vars: Value,
    /// The service that the text belongs to.
    pub(super) service: usize,
    /// The replica it is evaluated for.
    pub(super) replica: Option<u32>,
    /// What `peer` is.
    pub(super) peer: Peer,
    /// Parameters of the plugin that brought the text.
    pub(super) params: Option<Value>,
    /// How many secrets were asked for, and how many were written into the text.
    pub(super) secrets: Arc<Secrets>,
}

/// What one text does with secrets: each that is asked for must be written, whole.
#[derive(Debug, Default)]
pub(super) struct Secrets {
    asked: AtomicUsize,
    written: AtomicUsize,
}

impl Secrets {
    /// How many whole tokens a text must have.
    pub(super) fn expected(&self) -> usize {
        let count = |n: &AtomicUsize| n.load(Ordering::Relaxed);
        count(&self.asked).max(count(&self.written))
    }
}

/// What `peer` is while a text is evaluated.
#[derive(Debug, Clone)]
pub(super) enum Peer {
    /// Not defined: the text is no key.
    None,
    /// Finding out which services a key loops over.
    Probe(Arc<Mutex<BTreeSet<usize>>>),
    /// This replica of whatever service is asked for.
    At(u32),
}

type Result<T> = std::result::Result<T, Error>;

fn wrong(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message.into())
}

fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str>) -> Error {
    let known: Vec<&str> = known.collect();
    let rest = match did_you_mean(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "the blueprint declares none".to_owned(),
        None => format!("there is {}", one_of(known)),
    };
    wrong(format!("there is no {what} `{name}`; {rest}"))
}

impl Context {
    fn own(&self) -> Result<&Listing> {
        self.directory
            .get(self.service)
            .ok_or_else(|| wrong("no service"))
    }

    fn find(&self, name: &str) -> Result<(usize, &Listing)> {
        let at = self.directory.find(name);
        at.and_then(|at| Some((at, self.directory.get(at)?)))
            .ok_or_else(|| {
                if self.directory.broken.iter().any(|b| b == name) {
                    return wrong(BROKEN);
                }
                unknown("service", name, self.directory.names())
            })
    }

    fn global(self: &Arc<Self>, name: &str) -> Option<Value> {
        let function = |what| {
            Some(Value::from_object(Function {
                what,
                context: Arc::clone(self),
            }))
        };
        match name {
            "service" => Some(Value::from(&*self.own().ok()?.name)),
            "omit" => Some(Value::from(OMIT)),
            "params" => self.params.clone(),
            "host" => function(What::Host),
            "hosts" => function(What::Hosts),
            "address" => function(What::Address),
            "addresses" => function(What::Addresses),
            "port" => function(What::Port),
            "peers" => function(What::Peers),
            "secret" => function(What::Secret),
            "replica" => Some(Value::from_object(Replica {
                context: Arc::clone(self),
                service: self.service,
                index: self.replica?,
            })),
            "peer" if !matches!(self.peer, Peer::None) => Some(Value::from_object(PeerObject {
                context: Arc::clone(self),
            })),
            _ => None,
        }
    }
}

/// The context as the engine's outermost object.
#[derive(Debug)]
pub(super) struct Globals(pub(super) Arc<Context>);

impl Object for Globals {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        self.0
            .global(key)
            .or_else(|| self.0.vars.get_attr(key).ok().filter(|v| !v.is_undefined()))
    }
}

#[derive(Debug, Clone, Copy)]
enum What {
    Host,
    Hosts,
    Address,
    Addresses,
    Port,
    Peers,
    Secret,
}

/// A function about services.
#[derive(Debug)]
struct Function {
    what: What,
    context: Arc<Context>,
}

impl Object for Function {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn call(self: &Arc<Self>, _: &mut State<'_, '_>, args: &[Value]) -> Result<Value> {
        let context = &self.context;
        match (self.what, args) {
            (What::Host, [service]) => Ok(Value::from(&*context.find(&word(service)?)?.1.host)),
            (What::Host, [service, index]) => {
                let (_, listing) = context.find(&word(service)?)?;
                Ok(Value::from(replica_host(listing, index)?))
            }
            (What::Hosts, [service]) => {
                let (_, listing) = context.find(&word(service)?)?;
                Ok(hosts(listing).map(Value::from).collect())
            }
            (What::Address, [service, port]) => {
                let (_, listing) = context.find(&word(service)?)?;
                Ok(Value::from(format!(
                    "{}:{}",
                    listing.host,
                    number(listing, port)?
                )))
            }
            (What::Address, [service, port, index]) => {
                let (_, listing) = context.find(&word(service)?)?;
                let host = replica_host(listing, index)?;
                Ok(Value::from(format!("{host}:{}", number(listing, port)?)))
            }
            (What::Addresses, [service, port]) => {
                let (_, listing) = context.find(&word(service)?)?;
                let port = number(listing, port)?;
                let list = hosts(listing).map(|h| Value::from(format!("{h}:{port}")));
                Ok(list.collect())
            }
            (What::Port, [port]) => Ok(Value::from(number(context.own()?, port)?)),
            (What::Port, [service, port]) => {
                let (_, listing) = context.find(&word(service)?)?;
                Ok(Value::from(number(listing, port)?))
            }
            (What::Peers, []) => peers(context, context.service),
            (What::Peers, [service]) => peers(context, context.find(&word(service)?)?.0),
            (What::Secret, [name]) => secret(context, &word(name)?),
            _ => Err(wrong(self.what.usage())),
        }
    }
}

impl What {
    fn usage(self) -> &'static str {
        match self {
            Self::Host => "expected host('service') or host('service', index)",
            Self::Hosts => "expected hosts('service')",
            Self::Address => {
                "expected address('service', 'port') or address('service', 'port', index)"
            }
            Self::Addresses => "expected addresses('service', 'port')",
            Self::Port => "expected port('name') or port('service', 'name')",
            Self::Peers => "expected peers() or peers('service')",
            Self::Secret => "expected secret('name')",
        }
    }
}

fn word(value: &Value) -> Result<String> {
    match value.as_str() {
        Some(text) => Ok(text.to_owned()),
        None => Err(wrong(format!("expected a name in quotes, found {value}"))),
    }
}

fn number(listing: &Listing, port: &Value) -> Result<u16> {
    let name = word(port)?;
    listing.port(&name).ok_or_else(|| {
        if listing.broken_ports.contains(&name) {
            return wrong(BROKEN);
        }
        let known: Vec<&str> = listing.ports.iter().map(|(n, _)| &**n).collect();
        let rest = match did_you_mean(&name, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if known.is_empty() => "it declares none".to_owned(),
            None => format!("it has {}", one_of(known)),
        };
        wrong(format!("`{}` has no port `{name}`; {rest}", listing.name))
    })
}

/// The names that reach a service: of an ensemble each replica's, else the one of all.
fn hosts(listing: &Listing) -> impl Iterator<Item = &str> {
    let of_replicas = listing.kind == crate::blueprint::Kind::Ensemble;
    let replicas = listing.replicas.iter().filter(move |_| of_replicas);
    let one = std::iter::once(&listing.host).filter(move |_| !of_replicas);
    replicas.chain(one).map(|h| &**h)
}

fn replica_host<'a>(listing: &'a Listing, index: &Value) -> Result<&'a str> {
    let Some(at) = index.as_usize() else {
        return Err(wrong(format!(
            "expected the index of a replica, found {index}"
        )));
    };
    named(listing)?.get(at).map(|h| &**h).ok_or_else(|| {
        wrong(format!(
            "`{}` has {}, indexes go from 0 to {}",
            listing.name,
            if listing.count == 1 {
                "1 replica".to_owned()
            } else {
                format!("{} replicas", listing.count)
            },
            listing.count - 1
        ))
    })
}

/// Replicas with names of their own.
fn named(listing: &Listing) -> Result<&[Arc<str>]> {
    if listing.replicas.is_empty() {
        return Err(wrong(format!(
            "{UNNAMED}{}` have no names: only those of an ensemble have (`kind: ensemble`)",
            listing.name
        )));
    }
    Ok(&listing.replicas)
}

fn peers(context: &Arc<Context>, service: usize) -> Result<Value> {
    let listing = context
        .directory
        .get(service)
        .ok_or_else(|| wrong("no service"))?;
    let count = u32::try_from(named(listing)?.len()).unwrap_or(0);
    let replica = |index| {
        Value::from_object(Replica {
            context: Arc::clone(context),
            service,
            index,
        })
    };
    Ok((0..count).map(replica).collect())
}

fn secret(context: &Arc<Context>, name: &str) -> Result<Value> {
    if !context.directory.secrets.iter().any(|s| &**s == name) {
        let known = context.directory.secrets.iter().map(|s| &**s);
        return Err(unknown("secret", name, known));
    }
    context.secrets.asked.fetch_add(1, Ordering::Relaxed);
    Ok(Value::from_object(Secret {
        name: name.to_owned(),
        secrets: Arc::clone(&context.secrets),
    }))
}

/// One replica of a service.
#[derive(Debug)]
struct Replica {
    context: Arc<Context>,
    service: usize,
    index: u32,
}

impl Object for Replica {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let listing = self.context.directory.get(self.service)?;
        match key {
            "index" => Some(Value::from(self.index)),
            "id" => Some(Value::from(self.index + 1)),
            "host" => Some(Value::from(&**listing.replicas.get(self.index as usize)?)),
            "count" => Some(Value::from(listing.count)),
            "service" => Some(Value::from(&*listing.name)),
            _ => None,
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(&["index", "id", "host", "count", "service"])
    }

    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value> {
        let listing = self.context.directory.get(self.service);
        let listing = listing.ok_or_else(|| wrong("no service"))?;
        match (method, args) {
            ("address", [port]) => {
                let host = named(listing)?.get(self.index as usize);
                let host = host.ok_or_else(|| wrong("no such replica"))?;
                Ok(Value::from(format!("{host}:{}", number(listing, port)?)))
            }
            ("port", [port]) => Ok(Value::from(number(listing, port)?)),
            _ => Err(wrong(format!(
                "a replica has index, id, host, count, service, address('port') and port('port'), \
                 not {method}()"
            ))),
        }
    }
}

/// `peer`: the replica that a key is written for.
#[derive(Debug)]
struct PeerObject {
    context: Arc<Context>,
}

impl PeerObject {
    /// The replica of one service, noting which service it was while probing.
    fn replica(&self, service: usize) -> Result<Arc<Replica>> {
        let listing = self.context.directory.get(service);
        named(listing.ok_or_else(|| wrong("no service"))?)?;
        let index = match &self.context.peer {
            Peer::At(index) => *index,
            Peer::Probe(seen) => {
                if let Ok(mut seen) = seen.lock() {
                    seen.insert(service);
                }
                0
            }
            Peer::None => return Err(wrong("`peer` belongs in a key")),
        };
        Ok(Arc::new(Replica {
            context: Arc::clone(&self.context),
            service,
            index,
        }))
    }
}

impl Object for PeerObject {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        self.replica(self.context.service)
            .ok()?
            .get_value_by_str(key)
    }

    fn call(self: &Arc<Self>, _: &mut State<'_, '_>, args: &[Value]) -> Result<Value> {
        match args {
            [service] => {
                let (at, _) = self.context.find(&word(service)?)?;
                Ok(Value::from_dyn_object(self.replica(at)?))
            }
            _ => Err(wrong("expected peer.host, or peer('service').host")),
        }
    }

    fn call_method(
        self: &Arc<Self>,
        state: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value> {
        self.replica(self.context.service)?
            .call_method(state, method, args)
    }
}

/// A secret: writes its token, and counts that it did.
struct Secret {
    name: String,
    secrets: Arc<Secrets>,
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "secret `{}`", self.name)
    }
}

impl Object for Secret {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.secrets.written.fetch_add(1, Ordering::Relaxed);
        f.write_str(&Text::token(&self.name))
    }
}
