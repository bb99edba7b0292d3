"""What counts how much: judgements and data become weights with intervals."""

from svcmetrics.weigh.ahp import ahp as ahp
from svcmetrics.weigh.consistency import consistency as consistency
from svcmetrics.weigh.critic import critic as critic
from svcmetrics.weigh.entropy import entropy as entropy
from svcmetrics.weigh.importance import importance as importance
from svcmetrics.weigh.robustness import robustness as robustness
