// The inputs and the states of neurons, in the order in which the server numbers them.

export const FEATURES = ["x1", "x2", "x1_squared", "x2_squared", "x1_x2", "sin_x1", "sin_x2"];
export const FEATURE_SIGNS = ["x₁", "x₂", "x₁²", "x₂²", "x₁x₂", "sin x₁", "sin x₂"];
export const STATES = ["fine", "dead", "saturated", "exploding"];
