# `just` lists these. Everything here can be typed without just, too.

_default:
    @just --list

# a federation on this machine
demo *args:
    cargo run --release -- demo {{args}}

# the program, with any arguments
run *args:
    cargo run -- {{args}}

# all tests, as the README says
test:
    cargo test --workspace

# format, clippy, and the rules no compiler knows
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings
    cargo test -p tests --test architecture

# licences, bans, sources, advisories (needs cargo-deny and its database)
deny:
    cargo deny check

# other people's software reads a demo and checks it
outsiders:
    tests/outsiders/run

# kill -9, full disks, power cuts on a loop image (the last two need root); CYCLES each
crash cycles="200":
    tests/crash/kill {{cycles}}
    tests/crash/full
    tests/crash/power {{cycles}}

# a whole program among hostile peers, under load, on a bad line (the last needs root)
fire:
    tests/hostile/run
    tests/load/run
    tests/line/run

# what runs on every change
ci:
    .ci/run
