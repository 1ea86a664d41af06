//! Made-up blueprints.
