"""Mail on its way: what each kind says, how it becomes a message, and who takes it from us."""
