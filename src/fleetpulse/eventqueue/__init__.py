"""The internal queue: wakes consumers and hands them committed batches; who falls behind reads the journal."""
