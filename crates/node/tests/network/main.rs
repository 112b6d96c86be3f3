//! A network as people run it: commands, files by mail, and servers on loopback in between.

#[cfg(test)]
mod life;
#[cfg(test)]
#[path = "../program/mod.rs"]
mod program;
