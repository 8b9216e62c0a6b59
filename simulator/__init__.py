"""A whole world in virtual time: homes, pipes, radio, payers and faults, the real firmware and the real headend."""
