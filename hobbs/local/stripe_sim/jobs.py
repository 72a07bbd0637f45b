"""Jobs that Stripe does by itself later: a row with a due time on the simulator's clock, run once."""

from hobbs.local.stripe_sim.world import World


def schedule(world: World, kind: str, subject: str, after_s: float) -> None:
    """Run job `kind` on `subject` after a delay; scheduling the same pair again keeps the first due time."""
    world.store.write(
        "INSERT INTO job (kind, subject, due) VALUES (:kind, :subject, :due)"
        " ON CONFLICT (kind, subject) DO NOTHING",
        kind=kind,
        subject=subject,
        due=world.clock.now() + after_s,
    )


def cancel(world: World, kind: str, subject: str) -> None:
    world.store.write("DELETE FROM job WHERE kind = :kind AND subject = :subject", kind=kind, subject=subject)


def next_due(world: World) -> tuple[str, str] | None:
    """The (kind, subject) of the most overdue job, or None."""
    row = world.store.row(
        "SELECT kind, subject FROM job WHERE due <= :now ORDER BY due, id LIMIT 1", now=world.clock.now()
    )
    return None if row is None else (str(row[0]), str(row[1]))
