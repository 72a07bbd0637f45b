from fleet.migrate import run_env

run_env("reserves")
