//! The macro that declares a mapping of the language once: its struct, its reader, its part of
//! the JSON Schema and its page in the reference all come from the same lines.

/// Declares records. Each field: documentation, name, type, the key as it is written, and an
/// example that stands in the reference and is generated from in the tests.
macro_rules! records {
    ($(
        $(#[doc = $doc:literal])+
        pub struct $name:ident at $path:literal {
            $(
                $(#[doc = $fdoc:literal])+
                pub $field:ident : $ty:ty = $key:literal, $example:literal;
            )+
        }
    )+) => {$(
        $(#[doc = $doc])+
        #[derive(Debug, Clone)]
        pub struct $name {
            $( $(#[doc = $fdoc])+ pub $field: $ty, )+
            /// Where it stands.
            #[allow(dead_code, reason = "not every record is reported as a whole")]
            pub span: $crate::problem::Span,
        }

        impl $name {
            /// The keys, in the order of the reference.
            pub const KEYS: &'static [&'static str] = &[$($key),+];
        }

        impl $crate::blueprint::read::Read for $name {
            fn read(
                node: &$crate::yaml::Node,
                reader: &mut $crate::blueprint::read::Reader<'_>,
            ) -> Option<Self> {
                let fields = $crate::blueprint::fields::Fields::of(
                    node,
                    Self::KEYS,
                    [$((
                        <$ty as $crate::blueprint::read::Read>::missing().is_none(),
                        $example,
                    )),+]
                    .iter()
                    .find_map(|(required, example)| required.then_some(*example))
                    .unwrap_or_default(),
                    reader,
                )?;
                $( let $field = fields.field::<$ty>($key, reader); )+
                Some(Self {
                    $( $field: $field?, )+
                    span: node.span,
                })
            }

            fn schema(
                definitions: &mut $crate::blueprint::reference::Definitions,
            ) -> serde_json::Value {
                definitions.record(
                    stringify!($name),
                    $path,
                    concat!($($doc, "\n"),+),
                    |definitions| vec![$(
                        $crate::blueprint::reference::Field {
                            key: $key,
                            doc: concat!($($fdoc, "\n"),+),
                            example: $example,
                            required: <$ty as $crate::blueprint::read::Read>::missing().is_none(),
                            schema: <$ty as $crate::blueprint::read::Read>::schema(definitions),
                        },
                    )+],
                )
            }
        }
    )+};
}
pub(crate) use records;

/// Declares an enumeration that is written as one word.
macro_rules! choices {
    ($(
        $(#[doc = $doc:literal])+
        pub enum $name:ident {
            $( $(#[doc = $vdoc:literal])+ $variant:ident = $word:literal, )+
        }
    )+) => {$(
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $( $(#[doc = $vdoc])+ $variant, )+ }

        impl $name {
            /// The word that is written for it.
            #[allow(dead_code, reason = "not every enumeration is shown again")]
            pub fn word(self) -> &'static str {
                match self { $( Self::$variant => $word, )+ }
            }
        }

        impl $crate::blueprint::read::FromText for $name {
            fn expected() -> String {
                $crate::problem::one_of([$($word),+])
            }

            fn from_text(text: &str) -> Option<Self> {
                match text { $( $word => Some(Self::$variant), )+ _ => None }
            }

            fn scalar_schema() -> serde_json::Value {
                serde_json::json!({"enum": [$($word),+]})
            }

            fn names() -> Vec<&'static str> {
                vec![$($word),+]
            }
        }
    )+};
}
pub(crate) use choices;
