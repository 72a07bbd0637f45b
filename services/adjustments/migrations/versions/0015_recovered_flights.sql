-- The recoveries of a flight: they are named <dispute>/<flight>. Flights' own names have no slash before theirs.
CREATE INDEX adjustment_recovers_a_flight ON adjustment (substr(flight_id, strpos(flight_id, '/') + 1))
    WHERE kind = 'recovered';
