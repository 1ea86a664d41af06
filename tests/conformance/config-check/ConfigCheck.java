import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import kafka.docker.KafkaDockerWrapper$;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.yaml.snakeyaml.Yaml;
import scala.collection.immutable.Map$;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Reads config files as the products do.
 *
 * <p>Each line of the standard input is a format, a blank and the path of a file; for each, one line
 * of JSON says what is in it, or why it can't be read: {@code {"file": ..., "entries": {...}}} or
 * {@code {"file": ..., "error": ...}}. Of the formats {@code xml} is read by Hadoop's Configuration,
 * {@code properties} and {@code cfg} by java.util.Properties, {@code yaml} by SnakeYAML, {@code sh}
 * and {@code conf} by bash, which sources them. {@code kafka} is an environment, each variable with a
 * NUL behind it: the wrapper of the apache/kafka image makes the file of it.
 */
public final class ConfigCheck {
  private ConfigCheck() {}

  public static void main(String[] args) throws IOException {
    PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      int blank = line.indexOf(' ');
      String path = line.substring(blank + 1);
      StringBuilder json = new StringBuilder("{\"file\":").append(quoted(path));
      try {
        json.append(",\"entries\":{");
        String comma = "";
        for (Map.Entry<String, String> entry : read(line.substring(0, blank), path).entrySet()) {
          json.append(comma).append(quoted(entry.getKey())).append(':').append(quoted(entry.getValue()));
          comma = ",";
        }
        json.append("}}");
      } catch (Exception e) {
        json.setLength(0);
        json.append("{\"file\":").append(quoted(path)).append(",\"error\":").append(quoted(String.valueOf(e))).append('}');
      }
      out.println(json);
    }
    out.flush();
  }

  private static Map<String, String> read(String format, String path) throws Exception {
    switch (format) {
      case "xml":
        return xml(path);
      case "properties":
      case "cfg":
        return properties(path);
      case "kafka":
        return properties(wrapped(path));
      case "yaml":
        return yaml(path);
      case "sh":
      case "conf":
        return shell(path);
      default:
        throw new IllegalArgumentException("nothing reads " + format);
    }
  }

  /** What a Configuration has before it replaces references in values. */
  private static Map<String, String> xml(String path) {
    Configuration configuration = new Configuration(false);
    configuration.addResource(new Path("file://" + path));
    Map<String, String> entries = new TreeMap<>();
    for (Map.Entry<String, String> entry : configuration) {
      entries.put(entry.getKey(), entry.getValue());
    }
    return entries;
  }

  private static Map<String, String> properties(String path) throws IOException {
    Properties properties = new Properties();
    try (InputStream in = new FileInputStream(path)) {
      properties.load(in);
    }
    Map<String, String> entries = new TreeMap<>();
    for (String name : properties.stringPropertyNames()) {
      entries.put(name, properties.getProperty(name));
    }
    return entries;
  }

  /** The server.properties that the wrapper writes over that of its image. */
  private static String wrapped(String path) throws IOException {
    Map<String, String> environment = new TreeMap<>();
    for (String variable : Files.readString(Paths.get(path)).split("\0")) {
      int sign = variable.indexOf('=');
      if (sign > 0) {
        environment.put(variable.substring(0, sign), variable.substring(sign + 1));
      }
    }
    java.nio.file.Path folder = Paths.get(path + ".d");
    for (String name : new String[] {"default", "mounted", "final"}) {
      Files.createDirectories(folder.resolve(name));
    }
    Files.writeString(folder.resolve("default/server.properties"), "");
    KafkaDockerWrapper$.MODULE$.prepareServerConfigs(folder.resolve("default"), folder.resolve("mounted"),
        folder.resolve("final"), Map$.MODULE$.from(CollectionConverters.asScala(environment)));
    return folder.resolve("final/server.properties").toString();
  }

  /** The scalars of a document by their paths; the first of a list is 1. */
  private static Map<String, String> yaml(String path) throws IOException {
    Map<String, String> entries = new TreeMap<>();
    for (Map.Entry<?, ?> entry : ((Map<?, ?>) new Yaml().load(Files.readString(Paths.get(path)))).entrySet()) {
      flatten((String) entry.getKey(), entry.getValue(), entries);
    }
    return entries;
  }

  private static void flatten(String path, Object node, Map<String, String> entries) {
    if (node instanceof Map<?, ?> map) {
      for (Map.Entry<?, ?> entry : map.entrySet()) {
        flatten(path + "." + (String) entry.getKey(), entry.getValue(), entries);
      }
    } else if (node instanceof List<?> list) {
      for (int at = 0; at < list.size(); at++) {
        flatten(path + "." + (at + 1), list.get(at), entries);
      }
    } else if (node instanceof Double number) {
      // As it is written, not as Java would write it.
      entries.put(path, new BigDecimal(number.toString()).toPlainString());
    } else if (node instanceof String || node instanceof Number || node instanceof Boolean) {
      entries.put(path, node.toString());
    } else {
      throw new IllegalArgumentException(path + " is " + node);
    }
  }

  /** What a shell exports that sources the file. */
  private static Map<String, String> shell(String path) throws IOException, InterruptedException {
    String script = "set -a; . \"$0\"; exec env -0";
    ProcessBuilder builder = new ProcessBuilder("env", "-i", "bash", "--norc", "-c", script, path);
    Process process = builder.redirectError(ProcessBuilder.Redirect.INHERIT).start();
    String all = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() != 0) {
      throw new IOException("bash ended with " + process.exitValue());
    }
    Map<String, String> entries = new TreeMap<>();
    for (String variable : all.split("\0")) {
      int sign = variable.indexOf('=');
      if (sign > 0) {
        entries.put(variable.substring(0, sign), variable.substring(sign + 1));
      }
    }
    // Those of a bash that is started with none.
    for (String own : new String[] {"PWD", "SHLVL", "_", "OLDPWD"}) {
      entries.remove(own);
    }
    return entries;
  }

  private static String quoted(String text) {
    StringBuilder out = new StringBuilder("\"");
    for (char c : text.toCharArray()) {
      if (c == '"' || c == '\\') {
        out.append('\\').append(c);
      } else if (c < 0x20 || c > 0x7e) {
        out.append(String.format("\\u%04x", (int) c));
      } else {
        out.append(c);
      }
    }
    return out.append('"').toString();
  }
}
