//! What a problem means and what to do: a page of its own, and the answer to a browser that met one.

use askama::Template;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use wire::media;
use wire::problem::{Name, Problem};

use super::{Frame, Reader, set_language, without_controls};
use crate::answer::Answer;
use crate::app::App;
use crate::params::Params;

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage {
    frame: Frame,
    title: String,
    advice: String,
    status: String,
    /// Of a problem that was met: what happened, on the page in English.
    detail: Option<String>,
    request: Option<String>,
}

impl ProblemPage {
    fn new(app: &App, reader: &Reader, name: Name, met: Option<&Problem>) -> Self {
        let texts = reader.texts;
        let key = format!("problem-{}", name.as_str());
        let mut frame = reader.frame(app, None);
        frame.exists = met.is_none();
        Self {
            frame,
            title: texts.get(&key),
            advice: texts.attribute(&key, "advice"),
            status: texts.with("problem-status", &[("status", &name.status().to_string())]),
            // It is written for who looks after the node, in English; other languages have the advice.
            detail: met.filter(|_| texts.code() == "en").and_then(|problem| problem.detail.clone()),
            request: met.and_then(|problem| problem.instance.clone()),
        }
    }
}

/// `GET /problems/NAME`
pub(crate) async fn problem(
    State(app): State<App>,
    reader: Reader,
    params: Params,
) -> Result<Response, Answer> {
    let name = params.text("name")?;
    let name = Name::parse(name).ok_or_else(|| Answer::not_found(format!("problem `{name}`")))?;
    reader.page(&ProblemPage::new(&app, &reader, name, None))
}

/// A problem as a page, with the status and headers of `response`.
pub(crate) fn problem_answer(
    app: &App,
    reader: &Reader,
    problem: &Problem,
    mut response: Response,
) -> Response {
    let name = problem.name().unwrap_or(Name::Internal);
    let page = ProblemPage::new(app, reader, name, Some(problem)).render();
    *response.body_mut() =
        Body::from(without_controls(page.unwrap_or_else(|_| problem.title.clone())));
    let head = response.headers_mut();
    head.insert(CONTENT_TYPE, HeaderValue::from_static(media::HTML));
    head.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    set_language(head, reader.texts);
    response
}
