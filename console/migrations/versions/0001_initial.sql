-- Who asks as a holder: one wallet's money, and nothing else. Nobody logs in as this role; the console is a member
-- and says per transaction for whom it asks: set_config('app.actor', 'student:student-01', true).
do $$
begin
    if not exists (select from pg_roles where rolname = 'hobbs_holder') then
        create role hobbs_holder nologin;
    end if;
end $$;
GRANT hobbs_holder TO hobbs_console WITH INHERIT FALSE, SET TRUE;
GRANT USAGE ON SCHEMA console_public TO hobbs_holder;

-- A session's cookie is not in the database: only its hash is.
CREATE TABLE session (
    cookie_hash bytea       NOT NULL,
    person      text        NOT NULL,
    shown_name  text        NOT NULL,
    roles       text[]      NOT NULL,
    wallet      text,
    form_token  text        NOT NULL,
    came_by     text        NOT NULL,
    provider_session text,
    began_at    timestamptz NOT NULL DEFAULT now(),
    seen_at     timestamptz NOT NULL DEFAULT now(),
    ends_at     timestamptz NOT NULL,
    ended_at    timestamptz,
    CONSTRAINT session_has_one_cookie PRIMARY KEY (cookie_hash),
    CONSTRAINT session_cookie_hash_is_sha256 CHECK (octet_length(cookie_hash) = 32),
    CONSTRAINT session_came_by_is_known CHECK (came_by IN ('local', 'oidc'))
);
CREATE INDEX session_by_person ON session (person) WHERE ended_at IS NULL;
CREATE INDEX session_by_provider_session ON session (provider_session) WHERE ended_at IS NULL;

-- What a sign-in must come back with. It is used once, by the browser that began it.
CREATE TABLE sign_in (
    state_hash bytea       NOT NULL,
    nonce      text        NOT NULL,
    verifier   text        NOT NULL,
    next_page  text        NOT NULL,
    began_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT sign_in_has_one_state PRIMARY KEY (state_hash)
);

-- What a person asked to see the consequence of, and then asked for. One preview leads to one decision at most.
CREATE TABLE act (
    preview_id  uuid        NOT NULL,
    bundle_id   uuid        NOT NULL,
    decision_id uuid        NOT NULL,
    position    integer     NOT NULL,
    person      text        NOT NULL,
    service     text        NOT NULL,
    action      text        NOT NULL,
    object      text        NOT NULL,
    parameters  jsonb       NOT NULL,
    why         text        NOT NULL,
    asked_at    timestamptz NOT NULL DEFAULT now(),
    decided_at  timestamptz,
    CONSTRAINT act_has_one_preview PRIMARY KEY (preview_id),
    CONSTRAINT act_has_one_decision UNIQUE (decision_id)
);
CREATE INDEX act_by_bundle ON act (bundle_id, position);

-- A copy of both decision topics, which are the audit: whatever channel a decision came by. Either half may come first.
CREATE TABLE decision (
    decision_id  uuid        NOT NULL,
    service      text        NOT NULL,
    action       text        NOT NULL,
    object       text        NOT NULL,
    parameters   jsonb,
    person       text,
    roles        text[],
    channel      text,
    why          text,
    preview_hash text,
    dry_run      boolean,
    requested_at timestamptz,
    outcome      text,
    sentence     text,
    effects      jsonb,
    answer_hash  text,
    taken_at     timestamptz,
    CONSTRAINT decision_is_copied_once PRIMARY KEY (decision_id),
    CONSTRAINT decision_is_asked_or_answered CHECK (requested_at IS NOT NULL OR taken_at IS NOT NULL),
    CONSTRAINT decision_outcome_is_known CHECK (outcome IN ('done', 'refused', 'previewed'))
);
CREATE INDEX decision_by_instant ON decision ((coalesce(requested_at, taken_at)), decision_id);
CREATE INDEX decision_by_object ON decision (service, object);

-- Who was refused what: by a role, by a wrong form, by a sign-in.
CREATE TABLE refused_access (
    id     uuid        NOT NULL DEFAULT uuidv7(),
    at     timestamptz NOT NULL DEFAULT now(),
    person text,
    method text        NOT NULL,
    path   text        NOT NULL,
    why    text        NOT NULL,
    CONSTRAINT refused_access_has_an_id PRIMARY KEY (id)
);

-- A holder's question about a line, which finance answers.
CREATE TABLE question (
    id          uuid        NOT NULL,
    asked_at    timestamptz NOT NULL DEFAULT now(),
    person      text        NOT NULL,
    wallet      text        NOT NULL,
    about       text        NOT NULL,
    words       text        NOT NULL,
    answered_at timestamptz,
    answered_by text,
    answer      text,
    CONSTRAINT question_has_an_id PRIMARY KEY (id),
    CONSTRAINT question_says_something CHECK (length(words) BETWEEN 1 AND 2000),
    CONSTRAINT answered_question_says_by_whom_and_what
        CHECK ((answered_at IS NULL) = (answered_by IS NULL) AND (answered_at IS NULL) = (answer IS NULL))
);
CREATE INDEX question_open ON question (asked_at) WHERE answered_at IS NULL;
CREATE INDEX question_by_wallet ON question (wallet, asked_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON session, sign_in, act, decision TO hobbs_console;
GRANT SELECT, INSERT ON refused_access TO hobbs_console;
GRANT SELECT, INSERT, UPDATE ON question TO hobbs_console;

CREATE VIEW console_public.questions AS
SELECT id, asked_at, person, wallet, about, words, answered_at, answered_by, answer FROM question;
CREATE VIEW console_public.decisions AS
SELECT decision_id, service, action, object, parameters, person, roles, channel, why, preview_hash, dry_run,
       requested_at, outcome, sentence, effects, taken_at, coalesce(requested_at, taken_at) AS at
FROM decision;
CREATE VIEW console_public.refused_accesses AS SELECT id, at, person, method, path, why FROM refused_access;
GRANT SELECT ON console_public.questions, console_public.decisions, console_public.refused_accesses TO hobbs_reader;
