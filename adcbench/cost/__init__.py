"""What a network costs: parameters, multiply-adds (two counters and fvcore as a check), latency, memory."""
