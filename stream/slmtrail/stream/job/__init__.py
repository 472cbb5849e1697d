"""The stream as a job of many workers on Kafka: what one worker does, who keeps them running, what they share."""
