"""Operations, parameters and bytes of torch networks."""
