//! Java agents of the process.
//!
//! Owns the variables that ask for one, and the variable that only the server reads: a tool of the
//! same product (`hdfs namenode -format`, `hdfs dfs`) must not load the agent as well, since it could
//! not open the port that the server has.

use std::ffi::OsString;

use camino::Utf8Path;

use super::settings::{self, Reader};
use super::{AgentFile, AgentText};
use crate::problem::Problem;

/// The agents of the process: the variable and its options, and files that they need.
pub(super) fn read(
    words: &[OsString],
    reader: &mut Reader<'_>,
) -> (Option<(String, String)>, Vec<AgentFile>) {
    let mut options = Vec::new();
    let mut files = Vec::new();
    if reader.flag("PROMETHEUSJMX_ENABLED") {
        let jar = reader
            .path("PROMETHEUSJMX_JAR")
            .unwrap_or_else(|| "/opt/jmxpromo.jar".into());
        let given = reader.text("PROMETHEUSJMX_AGENTOPTS");
        let given = given.map(|given| format!("={given}"));
        options.push(format!("-javaagent:{jar}{}", given.unwrap_or_default()));
    }
    if let Some(file) = byteman_script(reader) {
        let jar = reader
            .path("BYTEMAN_JAR")
            .unwrap_or_else(|| "/opt/byteman.jar".into());
        let port = reader
            .text("BYTEMAN_PORT")
            .map(|port| format!(",port:{port}"));
        let port = port.unwrap_or_default();
        options.push(format!("-javaagent:{jar}=script:{}{port}", file.path));
        files.push(file);
    }
    let own = reader.env().iter();
    let own = own.filter(|(name, _)| name.starts_with("FLOKKR_AGENT"));
    let own = own.inspect(|(name, _)| reader.reads(name));
    options.extend(own.map(|(_, value)| value.clone()));
    if options.is_empty() {
        return (None, files);
    }
    let variable = reader.text("JAVA_OPTS_VAR").map(str::to_owned);
    let Some(variable) = variable.or_else(|| options_of(words)) else {
        let problem = Problem::error(
            "no-variable",
            "nothing says which variable has the options of the process, for its agents",
        );
        reader.report(problem.help("set JAVA_OPTS_VAR to its name, such as HDFS_NAMENODE_OPTS"));
        return (None, files);
    };
    // They are added to what it says.
    reader.reads(&variable);
    (Some((variable, options.join(" "))), files)
}

/// The script of Byteman: itself, or where it is.
fn byteman_script(reader: &mut Reader<'_>) -> Option<AgentFile> {
    let path = "/tmp/byteman.btm";
    if let Some(script) = reader.text("BYTEMAN_SCRIPT") {
        if reader.text("BYTEMAN_SCRIPT_URL").is_some() {
            let text = "BYTEMAN_SCRIPT_URL does nothing beside BYTEMAN_SCRIPT";
            reader.report(Problem::warning("unsupported", text));
        }
        let from = AgentText::Here(script.to_owned());
        return Some(AgentFile {
            path: path.into(),
            from,
        });
    }
    let url = reader.text("BYTEMAN_SCRIPT_URL")?;
    match settings::download(url, path.into(), false) {
        Ok(download) => Some(AgentFile {
            path: path.into(),
            from: AgentText::Fetched(download),
        }),
        Err(expected) => {
            let problem = Problem::error("wrong-value", format!("BYTEMAN_SCRIPT_URL is `{url}`"));
            reader.report(problem.help(format!("expected {expected}")));
            None
        }
    }
}

/// The variable that only this server reads. Hadoop 3 (hadoop-functions.sh), Ozone 2 and HBase 2 have
/// one for each sub command, Kafka's scripts and zkServer.sh one each.
fn options_of(words: &[OsString]) -> Option<String> {
    let mut words = words.iter().map_while(|word| word.to_str());
    let program = Utf8Path::new(words.next()?).file_name()?;
    let mut command = words.find(|word| !word.starts_with('-'));
    let prefix = match program {
        "hdfs" | "yarn" | "mapred" | "ozone" | "hadoop" | "hbase" => program.to_uppercase(),
        "kafka-server-start.sh" => return Some("KAFKA_OPTS".to_owned()),
        "zkServer.sh" => return Some("SERVER_JVMFLAGS".to_owned()),
        _ => return None,
    };
    let command = command.take()?.to_uppercase();
    let plain = command.chars().all(|c| c.is_ascii_alphanumeric());
    plain.then(|| format!("{prefix}_{command}_OPTS"))
}
