//! Types that are written as one scalar: sizes, durations, users, paths and the like.

#![no_main]

use flokkr::blueprint::{
    Argv, ContainerPath, Count, Cpu, Delivery, Duration, Entrypoint, FromText, Kind, Mode,
    Packager, Protocol, Publish, Quorum, Restart, Shell, Size, Spread, User, VolumeKind,
};
use flokkr::env::Dialect;
use libfuzzer_sys::fuzz_target;

macro_rules! read {
    ($input:expr, $($type:ty),*) => {
        $(
            if <$type>::from_text($input).is_none() {
                let _ = <$type>::hint($input);
            }
        )*
    };
}

fuzz_target!(|input: &str| {
    read!(
        input,
        Argv,
        ContainerPath,
        Count,
        Cpu,
        Delivery,
        Dialect,
        Duration,
        Entrypoint,
        Kind,
        Mode,
        Packager,
        Protocol,
        Publish,
        Quorum,
        Restart,
        Shell,
        Size,
        Spread,
        User,
        VolumeKind,
        bool,
        u16,
        u32
    );
});
