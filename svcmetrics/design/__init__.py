"""What to evaluate: the scope, and whether the questions ask for it."""

from svcmetrics.design.aiken_v import aiken_v as aiken_v
from svcmetrics.design.cvi import cvi as cvi
from svcmetrics.design.cvr import cvr as cvr
from svcmetrics.design.promote import promote as promote
from svcmetrics.design.scope import scope as scope
