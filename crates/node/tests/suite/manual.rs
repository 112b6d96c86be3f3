//! The manual's transcripts, executed: what a page tells people to type works as it stands.
//!
//! Each page with `console` blocks is one session in an empty directory; its lines that begin with `$ `
//! are run one after the other by bash, and each must succeed. A command that ends in `&` has started
//! when it prints its address. Ports are replaced by free ones.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use anyhow::Context as _;

const PORTS: [&str; 2] = ["8080", "8081"];

fn commands(page: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let mut inside = false;
    for line in page.lines() {
        if line.starts_with("```") {
            inside = line == "```console";
        } else if let Some(command) = line.strip_prefix("$ ").filter(|_| inside) {
            commands.push(command.to_owned());
        }
    }
    commands
}

/// A bash script of the commands; each is printed before it is run.
fn script(commands: &[String]) -> String {
    let mut script =
        "set -euo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null; wait' EXIT\n".to_owned();
    for (number, command) in commands.iter().enumerate() {
        script.push_str(&format!("cat <<'SHOWN'\n$ {command}\nSHOWN\n"));
        match command.strip_suffix('&') {
            Some(server) => {
                script.push_str(&format!("{server} > server.{number} 2>&1 &\n"));
                // Until it has said where it is, or has ended.
                let started =
                    format!("until grep -q ' is at http' server.{number}; do kill -0 $!; done\n");
                script.push_str(&started);
            }
            None => script.push_str(&format!("{command}\n")),
        }
    }
    script
}

fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn execute(page: &str) -> anyhow::Result<()> {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = std::fs::read_to_string(project.join(page))?;
    let mut session = script(&commands(&text));
    assert!(session.contains("jopoi"), "{page} shows no command");
    for port in PORTS {
        session = session.replace(port, &free_port()?.to_string());
    }
    let directory = tempfile::tempdir()?;
    let program = Path::new(env!("CARGO_BIN_EXE_jopoi")).parent().context("it lies nowhere")?;
    let path = format!("{}:{}", program.display(), std::env::var("PATH")?);
    let ended = Command::new("bash")
        .args(["-c", &session])
        .current_dir(directory.path())
        .env("PATH", path)
        .env("NO_COLOR", "1")
        .output()?;
    let shown = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.success(), "{page}:\n{shown}\n{}", String::from_utf8_lossy(&ended.stderr));
    Ok(())
}

#[test]
fn the_readme_can_be_typed_as_it_stands() -> anyhow::Result<()> {
    execute("README.md")
}

#[test]
fn the_operating_guide_can_be_typed_as_it_stands() -> anyhow::Result<()> {
    execute("docs/operating.md")
}
