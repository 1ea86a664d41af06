//! One text for all replicas.
