"""Things Stripe does by itself later: a row with a due time on the simulator's clock, done once."""

from hobbs.local.stripe_sim.world import World


def schedule(world: World, kind: str, subject: str, after_s: float) -> None:
    """Do `kind` to `subject` after a delay; a second schedule of the same pair keeps the first due time."""
    world.store.write(
        "INSERT INTO job (kind, subject, due) VALUES (:kind, :subject, :due)"
        " ON CONFLICT (kind, subject) DO NOTHING",
        kind=kind,
        subject=subject,
        due=world.clock.now() + after_s,
    )


def cancel(world: World, kind: str, subject: str) -> None:
    world.store.write("DELETE FROM job WHERE kind = :kind AND subject = :subject", kind=kind, subject=subject)


def take_due(world: World) -> tuple[str, str] | None:
    """Remove and return the most overdue (kind, subject); call it inside the transaction that does it."""
    row = world.store.row(
        "SELECT id, kind, subject FROM job WHERE due <= :now ORDER BY due, id LIMIT 1", now=world.clock.now()
    )
    if row is None:
        return None
    world.store.write("DELETE FROM job WHERE id = :id", id=row[0])
    return str(row[1]), str(row[2])
