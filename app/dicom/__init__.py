"""What the standard says, and no product decision: elements, values, identifiers, dates, codestreams, vocabulary."""
