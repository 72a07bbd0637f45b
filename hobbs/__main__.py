from hobbs.cli import main

main()
