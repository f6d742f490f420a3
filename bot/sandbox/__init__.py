"""A local Slack workspace over real HTTP and WebSocket, for tests, the demo and newcomers."""
