//! This process, under the names that every exporter uses for it.

use prometheus_client::registry::Unit;
use rustix::process::{Resource, getrlimit};
use rustix::time::{ClockId, clock_gettime};

use super::figure::Figure;

/// Open files looked at: beyond any limit that systems set by default.
const FILES_MAX: usize = 1 << 20;

/// Everything about the process; what the system does not tell is left out.
pub(super) fn figures(opened_at: u64) -> Vec<Figure> {
    let cpu = clock_gettime(ClockId::ProcessCPUTime);
    let whole = u32::try_from(cpu.tv_sec).unwrap_or(u32::MAX);
    let rest = u32::try_from(cpu.tv_nsec).unwrap_or(0);
    let cpu = f64::from(whole) + f64::from(rest) / 1e9;
    let open =
        std::fs::read_dir("/proc/self/fd").ok().map(|all| all.take(FILES_MAX).count() as u64);
    vec![
        Figure::counter("process_cpu", "Processor time of this process")
            .in_unit(Unit::Seconds)
            .value(cpu),
        Figure::gauge("process_resident_memory", "Memory of this process that is resident")
            .in_unit(Unit::Bytes)
            .value_if(resident()),
        Figure::gauge("process_open_fds", "Open files of this process").value_if(open),
        Figure::gauge("process_max_fds", "Files that this process may have open")
            .value_if(getrlimit(Resource::Nofile).current),
        Figure::gauge("process_start_time", "When this node was opened")
            .in_seconds()
            .value(opened_at),
    ]
}

/// Bytes; `None` where the system does not tell.
fn resident() -> Option<u64> {
    let pages = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = pages.split_whitespace().nth(1)?.parse().ok()?;
    pages.checked_mul(rustix::param::page_size() as u64)
}
