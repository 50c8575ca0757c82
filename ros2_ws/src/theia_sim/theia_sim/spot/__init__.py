"""A simulated Spot behind the robot's own gRPC services, for the unmodified bosdyn-client over TLS.

`server` offers the services, one module each; `robot` is what they share, `body` what physics must offer.
"""
