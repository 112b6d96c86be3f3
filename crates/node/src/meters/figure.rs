//! One figure with its name, its help and its lines, as it is exported.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

/// Names and values.
pub(super) type Labels = Vec<(&'static str, String)>;

/// A number, whole where it is one.
#[derive(Clone, Copy, Debug)]
pub(super) enum Number {
    Whole(u64),
    Real(f64),
}

/// One figure; without a unit, it counts things.
#[derive(Debug)]
pub(super) struct Figure {
    name: &'static str,
    help: &'static str,
    unit: Option<Unit>,
    kind: MetricType,
    lines: Vec<(Labels, Number)>,
}

/// All that are computed when somebody asks.
#[derive(Debug)]
pub(super) struct Figures(pub(super) Vec<Figure>);

impl From<u64> for Number {
    fn from(whole: u64) -> Self {
        Self::Whole(whole)
    }
}

impl From<f64> for Number {
    fn from(real: f64) -> Self {
        Self::Real(real)
    }
}

impl From<bool> for Number {
    fn from(is: bool) -> Self {
        Self::Whole(is.into())
    }
}

impl Figure {
    /// What goes up and down. Its name and help are told even while it has no line.
    pub(super) fn gauge(name: &'static str, help: &'static str) -> Self {
        Self { name, help, unit: None, kind: MetricType::Gauge, lines: Vec::new() }
    }

    /// What only grows. `_total` is added to the name.
    pub(super) fn counter(name: &'static str, help: &'static str) -> Self {
        Self { kind: MetricType::Counter, ..Self::gauge(name, help) }
    }

    /// The unit is added to the name.
    pub(super) fn in_unit(self, unit: Unit) -> Self {
        Self { unit: Some(unit), ..self }
    }

    /// Seconds, of a time span or since 1970.
    pub(super) fn in_seconds(self) -> Self {
        self.in_unit(Unit::Seconds)
    }

    /// One value, without labels.
    pub(super) fn value(self, number: impl Into<Number>) -> Self {
        self.lines([(Labels::new(), number)])
    }

    /// A value if there is one.
    pub(super) fn value_if(self, number: Option<impl Into<Number>>) -> Self {
        self.lines(number.map(|number| (Labels::new(), number)))
    }

    /// A line for each.
    pub(super) fn lines<N: Into<Number>>(
        mut self,
        lines: impl IntoIterator<Item = (Labels, N)>,
    ) -> Self {
        self.lines.extend(lines.into_iter().map(|(labels, number)| (labels, number.into())));
        self
    }

    fn write(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let unit = self.unit.as_ref();
        let mut metric = encoder.encode_descriptor(self.name, self.help, unit, self.kind)?;
        for (labels, number) in &self.lines {
            self.write_number(*number, metric.encode_family(labels)?)?;
        }
        Ok(())
    }

    fn write_number(&self, number: Number, encoder: MetricEncoder<'_>) -> fmt::Result {
        match (self.kind, number) {
            (MetricType::Counter, Number::Whole(whole)) => ConstCounter::new(whole).encode(encoder),
            (MetricType::Counter, Number::Real(real)) => ConstCounter::new(real).encode(encoder),
            // Gauges are signed; nothing here is beyond that.
            (_, Number::Whole(whole)) => {
                ConstGauge::new(i64::try_from(whole).unwrap_or(i64::MAX)).encode(encoder)
            }
            (_, Number::Real(real)) => ConstGauge::new(real).encode(encoder),
        }
    }
}

impl Collector for Figures {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|figure| figure.write(&mut encoder))
    }
}

/// A line for each of `all`, 1 for the one that is: a state set.
pub(super) fn state_set(
    labels: &Labels,
    all: &[&'static str],
    is: &str,
) -> impl Iterator<Item = (Labels, bool)> {
    all.iter().map(move |state| {
        let mut labels = labels.clone();
        labels.push(("state", (*state).to_owned()));
        (labels, *state == is)
    })
}
