"""score"""

from svcmetrics.score.adjust import adjust as adjust
from svcmetrics.score.adjust_draws import adjust_draws as adjust_draws
from svcmetrics.score.composite import composite as composite
from svcmetrics.score.composite_draws import composite_draws as composite_draws
from svcmetrics.score.contributions import contributions as contributions
from svcmetrics.score.groups import groups as groups
from svcmetrics.score.normalise import normalise as normalise
from svcmetrics.score.ranks import ranks as ranks
from svcmetrics.score.superiority import superiority as superiority
