//! Sheets: the form, what people send back, and what is no sheet at all.

#[cfg(test)]
mod filling;
#[cfg(test)]
mod form;
#[cfg(test)]
mod malformed;
#[cfg(test)]
mod tables;
